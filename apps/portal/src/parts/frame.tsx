import { AppShell, Burger, Button, Group, Menu } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconBuildingCommunity,
  IconChevronDown,
  IconDoor,
  IconKey,
  IconLogout,
  IconTopologyStar3,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';
import { useEffect, type ReactNode } from 'react';
import { useSignOut } from '../api/session.js';
import { useLive } from '../live/use-live.js';
import { Link } from './link.js';
import { goTo, usePlace } from './route.js';
import { ThemeToggle } from './theme-toggle.js';
import { Wordmark } from './wordmark.js';

const PAGES = [
  { href: '/', part: '', words: 'Live View', Icon: IconTopologyStar3 },
  { href: '/rooms', part: 'rooms', words: 'Rooms', Icon: IconDoor },
  { href: '/sites', part: 'sites', words: 'Sites and nodes', Icon: IconBuildingCommunity },
  { href: '/administrators', part: 'administrators', words: 'Administrators', Icon: IconUsers },
] as const;

/** What is around every page: where one can go, who one is, and whether something needs a look. */
export const Frame = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { parts } = usePlace();
  const issues = useLive().status?.alarms.length ?? 0;
  const here = parts[0] ?? '';
  useEffect(close, [here, close]);
  return (
    <AppShell
      layout="alt"
      header={{ height: 64 }}
      navbar={{ width: 256, breakpoint: 'md', collapsed: { mobile: !opened } }}
      padding={{ base: 'md', md: 'xl' }}
      withBorder={false}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header px={{ base: 'md', md: 'xl' }} style={{ background: 'var(--paper)' }}>
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group hiddenFrom="md" gap="xs" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              size="sm"
              aria-label={opened ? 'Close the menu' : 'Open the menu'}
              data-testid="menu"
            />
            <Link href="/" className="wordmark" aria-label="Isthmus portal, Live View">
              <Wordmark />
            </Link>
          </Group>
          <div />
          <Group gap="xs" wrap="nowrap">
            <ThemeToggle />
            <Account name={name} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="md" style={{ background: 'var(--surface)', borderInlineEnd: '1px solid var(--line)' }}>
        <Group h={44} mb="lg" px={6} justify="space-between">
          <Wordmark />
          <Burger opened onClick={close} size="sm" hiddenFrom="md" aria-label="Close the menu" />
        </Group>
        <nav aria-label="Pages" style={{ display: 'grid', gap: 4 }}>
          {PAGES.map(({ href, part, words, Icon }) => (
            <Link key={href} href={href} className="nav-link" aria-current={part === here ? 'page' : undefined} onClick={close}>
              <Icon size={20} stroke={1.7} aria-hidden="true" />
              {words}
              {part === '' && issues > 0 && (
                <span className="nav-count" title={`${issues} issues`}>
                  <span aria-hidden="true">{issues}</span>
                  <span style={{ position: 'absolute', left: -9999 }}>, {issues} issues</span>
                </span>
              )}
            </Link>
          ))}
        </nav>
        <a href="/v1/openapi.json" className="nav-link" style={{ marginTop: 'auto', fontSize: '0.88rem' }} target="_blank" rel="noreferrer">
          REST API (OpenAPI 3.1)
        </a>
      </AppShell.Navbar>
      <AppShell.Main id="main">
        <div className="page">{children}</div>
      </AppShell.Main>
    </AppShell>
  );
};

const Account = ({ name }: { readonly name: string }) => {
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <Button
          variant="default"
          h={40}
          px={{ base: 10, sm: 16 }}
          rightSection={<IconChevronDown size={16} aria-hidden="true" />}
          aria-label={`Signed in as ${name}`}
          data-testid="account"
        >
          <span className="account-name">{name}</span>
          <IconUser className="account-icon" size={19} aria-hidden="true" />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconKey size={17} aria-hidden="true" />} onClick={() => goTo('/account')}>
          Change password
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={17} aria-hidden="true" />} onClick={() => signOut.mutate()} data-testid="sign-out">
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
};
