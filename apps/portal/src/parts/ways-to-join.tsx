import { ActionIcon, Alert, Group, Text, Tooltip } from '@mantine/core';
import { IconExternalLink, IconKey } from '@tabler/icons-react';
import { useWaysToJoin } from '../api/rooms.js';
import type { WaysToJoin as Ways } from '../api/shapes.js';
import { CopyButton } from './copy-button.js';
import { Link } from './link.js';
import { Pending } from './notice.js';

export interface FreshPins {
  readonly host?: string;
  readonly guest?: string;
}

/** All the ways to join a room: what people need to be told, ready to be copied. PINs only in the moment they were set. */
export const WaysToJoin = ({ id, name, pins = {} }: { readonly id: string; readonly name: string; readonly pins?: FreshPins }) => {
  const { data, error, refetch } = useWaysToJoin(id);
  if (!data) return <Pending error={error} again={refetch} />;
  const { links, aliases, hostPinSet, guestPinSet } = data;
  const sites = [...new Set(links.map(({ site }) => site))];
  return (
    <div data-testid="ways">
      <Pins pins={pins} />
      {links.length === 0 && (
        <Text c="dimmed" size="sm">
          {aliases.length === 0 ? (
            'Give the room an alias: without one there is nothing to dial and no link.'
          ) : (
            <>
              There is no site yet that could hold a meeting. <Link href="/sites">See sites and nodes.</Link>
            </>
          )}
        </Text>
      )}
      {sites.map((site) => (
        <section key={site} style={{ marginTop: 14 }}>
          <h3>{links.find((link) => link.site === site)?.siteName}</h3>
          {links
            .filter((link) => link.site === site)
            .map(({ alias, url, siteName }) => (
              <div key={url} className="way" data-testid="way">
                <div>
                  <Text fw={560} size="sm">
                    {alias}
                  </Text>
                  <div className="way-url">{url}</div>
                </div>
                <div className="way-buttons">
                  <CopyButton value={url} what={`the link for ${siteName}`} testId="copy-link" />
                  <Tooltip label="Open in a new tab">
                    <ActionIcon
                      component="a"
                      href={url}
                      target="_blank"
                      rel="noreferrer"
                      variant="default"
                      size={40}
                      aria-label={`Open ${alias} at ${siteName} in a new tab`}
                      data-testid="open-link"
                    >
                      <IconExternalLink size={18} aria-hidden="true" />
                    </ActionIcon>
                  </Tooltip>
                </div>
              </div>
            ))}
        </section>
      ))}
      {links.length > 0 && (
        <>
          <Text size="sm" c="dimmed" mt="md">
            {doorWords({ hostPinSet, guestPinSet })}
          </Text>
          <Group mt="md">
            <CopyButton value={invitation(name, data, pins)} what="the invitation" label="Copy an invitation" testId="copy-invitation" />
          </Group>
        </>
      )}
    </div>
  );
};

const Pins = ({ pins }: { readonly pins: FreshPins }) => {
  const fresh = (['host', 'guest'] as const).flatMap((role) => {
    const pin = pins[role];
    return pin === undefined ? [] : [{ role, pin }];
  });
  if (fresh.length === 0) return null;
  return (
    <Alert variant="light" color="yellow" icon={<IconKey aria-hidden="true" />} title="Shown this once" mb="md" data-testid="fresh-pins">
      {fresh.map(({ role, pin }) => (
        <Group key={role} gap="sm" mt={6}>
          <Text size="sm" w={72}>
            {role === 'host' ? 'Host PIN' : 'Guest PIN'}
          </Text>
          <span className="pin-once">{pin}</span>
          <CopyButton value={pin} what={`the ${role} PIN`} />
        </Group>
      ))}
    </Alert>
  );
};

const doorWords = ({ hostPinSet, guestPinSet }: Pick<Ways, 'hostPinSet' | 'guestPinSet'>): string =>
  hostPinSet
    ? guestPinSet
      ? 'Hosts and guests each come in with their PIN.'
      : 'Hosts come in with the host PIN, guests without one.'
    : 'Everybody comes in without a PIN, as host.';

/** For an e-mail or a calendar entry. The host PIN is for hosts, so it is not in what everybody gets. */
const invitation = (name: string, { links, guestPinSet }: Ways, { guest }: FreshPins): string => {
  const bySite = new Map<string, string>();
  for (const { siteName, url } of links) if (!bySite.has(siteName)) bySite.set(siteName, url);
  return [
    `Join “${name}” from the site nearest to you:`,
    ...[...bySite].map(([siteName, url]) => `${siteName}: ${url}`),
    ...(guest !== undefined ? [`PIN: ${guest}`] : guestPinSet ? ['You need the PIN that the host tells you.'] : []),
  ].join('\n');
};
