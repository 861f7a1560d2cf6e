import { Button, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconDoorExit, IconPlus, IconServer, IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useAddSite, useDrainSite, useNodeCommand, useRemoveSite, useSiteCommand, type JoinCommand } from '../api/joining.js';
import type { Site } from '../api/shapes.js';
import { Confirm } from './confirm.js';
import { CopyButton } from './copy-button.js';
import { Trouble } from './notice.js';

/** What a site's card offers: the command for its machine, the one for another media node, and the end of it. */
export const SiteMachines = ({ site, nodes }: { readonly site: Site; readonly nodes: readonly string[] }) => {
  const [open, setOpen] = useState<'site' | 'node' | 'drain' | 'remove'>();
  const draining = useDrainSite();
  const removing = useRemoveSite();
  const close = () => setOpen(undefined);
  return (
    <Group gap="xs" mt={14}>
      <Opener icon={<IconServer size={15} aria-hidden="true" />} onClick={() => setOpen('site')} testId="site-machine">
        Connect its machine
      </Opener>
      <Opener icon={<IconPlus size={15} aria-hidden="true" />} onClick={() => setOpen('node')} testId="add-node">
        Add a media node
      </Opener>
      <Opener icon={<IconDoorExit size={15} aria-hidden="true" />} onClick={() => setOpen('drain')} testId="drain-site">
        {site.draining ? 'Use again' : 'Drain'}
      </Opener>
      <Opener icon={<IconTrash size={15} aria-hidden="true" />} onClick={() => setOpen('remove')} testId="remove-site">
        Remove
      </Opener>
      <Dialogue title={`A machine for ${site.name}`} opened={open === 'site'} onClose={close}>
        <SiteCommand id={site.id} />
      </Dialogue>
      <Dialogue title={`A media node for ${site.name}`} opened={open === 'node'} onClose={close}>
        <NodeCommand site={site.id} nodes={nodes} />
      </Dialogue>
      <Confirm
        opened={open === 'drain'}
        title={site.draining ? `Use ${site.name} again?` : `Drain ${site.name}?`}
        verb={site.draining ? 'Use it again' : 'Drain it'}
        busy={draining.isPending}
        error={draining.error}
        onConfirm={() => draining.mutate({ id: site.id, draining: !site.draining }, { onSuccess: close })}
        onClose={close}
      >
        {site.draining
          ? 'People come in there again.'
          : 'Nobody new comes in there. Whoever is in is taken to another site, or told where the same meeting is if that does not work.'}
      </Confirm>
      <Confirm
        opened={open === 'remove'}
        title={`Remove ${site.name}?`}
        verb="Remove the site"
        busy={removing.isPending}
        error={removing.error}
        onConfirm={() => removing.mutate(site.id, { onSuccess: close })}
        onClose={close}
      >
        {site.drained ? 'Nobody is in a meeting there. ' : 'People may be in meetings there: drain it first, so that they are told. '}
        The other sites end their links to it, list it no more, and write off whoever is still there. Its certificate is worth nothing
        afterwards.
      </Confirm>
    </Group>
  );
};

const Opener = ({
  icon,
  onClick,
  testId,
  children,
}: {
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly testId: string;
  readonly children: ReactNode;
}) => (
  <Button variant="default" size="xs" leftSection={icon} onClick={onClick} data-testid={testId}>
    {children}
  </Button>
);

/** Puts a site on the list, then shows the command for its machine. */
export const AddSite = () => {
  const [opened, setOpened] = useState(false);
  const [wish, setWish] = useState({ id: '', name: '', address: '' });
  const adding = useAddSite();
  const close = () => {
    setOpened(false);
    setWish({ id: '', name: '', address: '' });
    adding.reset();
  };
  const add = () => {
    const host = wish.address.includes(':') ? `[${wish.address}]` : wish.address;
    adding.mutate({ id: wish.id, name: wish.name, meetUrl: `https://${host}:7100`, linkUrl: `wss://${host}:7101` });
  };
  return (
    <>
      <Button leftSection={<IconPlus size={18} aria-hidden="true" />} onClick={() => setOpened(true)} data-testid="add-site">
        Add a site
      </Button>
      <Dialogue title="A new site" opened={opened} onClose={close}>
        {adding.isSuccess ? (
          <SiteCommand id={wish.id} />
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              add();
            }}
          >
            <Stack>
              <TextInput
                label="Name"
                required
                maxLength={100}
                value={wish.name}
                onChange={({ currentTarget: { value } }) => setWish({ ...wish, name: value })}
                data-testid="site-name"
              />
              <TextInput
                label="Short name"
                description="Lower-case letters and digits, such as cpt. It cannot be changed."
                required
                pattern="[a-z][a-z0-9_]*"
                maxLength={32}
                value={wish.id}
                onChange={({ currentTarget: { value } }) => setWish({ ...wish, id: value })}
                data-testid="site-id"
              />
              <TextInput
                label="Address of its machine"
                description="Where people and the other sites reach it: ports 7100 to 7199."
                required
                maxLength={255}
                value={wish.address}
                onChange={({ currentTarget: { value } }) => setWish({ ...wish, address: value.trim() })}
                data-testid="site-address"
              />
              <Trouble error={adding.error} />
              <Group justify="flex-end">
                <Button type="submit" loading={adding.isPending} data-testid="site-submit">
                  Add it
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Dialogue>
    </>
  );
};

const SiteCommand = ({ id }: { readonly id: string }) => {
  const asking = useSiteCommand();
  return (
    <Stack>
      <Text size="sm">
        A machine becomes this site by one command. It is good for one machine, once, and for half an hour; a machine that is this site
        already does not need it.
      </Text>
      {asking.data ? (
        <Shown command={asking.data} />
      ) : (
        <Group justify="flex-end">
          <Button loading={asking.isPending} onClick={() => asking.mutate(id)} data-testid="make-command">
            Make the command
          </Button>
        </Group>
      )}
      <Trouble error={asking.error} />
    </Stack>
  );
};

const NodeCommand = ({ site, nodes }: { readonly site: string; readonly nodes: readonly string[] }) => {
  const [node, setNode] = useState(() => firstFree(site, nodes));
  const [address, setAddress] = useState('');
  const asking = useNodeCommand();
  if (asking.data) return <Shown command={asking.data} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        asking.mutate({ site, node, address });
      }}
    >
      <Stack>
        <TextInput
          label="Name"
          required
          maxLength={64}
          value={node}
          onChange={({ currentTarget: { value } }) => setNode(value)}
          data-testid="node-id"
        />
        <TextInput
          label="Address of its machine"
          description="Where people and the other nodes reach it: ports 7110 to 7199."
          required
          maxLength={255}
          value={address}
          onChange={({ currentTarget: { value } }) => setAddress(value.trim())}
          data-testid="node-address"
        />
        <Trouble error={asking.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={asking.isPending} data-testid="make-command">
            Make the command
          </Button>
        </Group>
      </Stack>
    </form>
  );
};

const Shown = ({ command: { command, expiresAt } }: { readonly command: JoinCommand }) => (
  <Stack>
    <Text size="sm">
      Type this on the machine, in a checkout of this version of Isthmus, before {new Date(expiresAt).toLocaleTimeString()}. It brings what
      is needed and starts it.
    </Text>
    <Code
      block
      style={{ wordBreak: 'break-all', whiteSpace: 'pre-wrap', maxHeight: 180, overflow: 'auto' }}
      tabIndex={0}
      data-testid="command"
    >
      {command}
    </Code>
    <Group justify="flex-end">
      <CopyButton value={command} what="the command" label="Copy the command" testId="copy-command" />
    </Group>
  </Stack>
);

/** Closed, it forgets what it showed: a command is for one machine. */
const Dialogue = ({
  title,
  opened,
  onClose,
  children,
}: {
  readonly title: string;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) => (
  <Modal opened={opened} onClose={onClose} title={title} size="lg" centered closeButtonProps={{ 'aria-label': 'Close' }}>
    {opened && children}
  </Modal>
);

const firstFree = (site: string, nodes: readonly string[]): string => {
  for (let number = 1; ; number += 1) if (!nodes.includes(`${site}-${number}`)) return `${site}-${number}`;
};
