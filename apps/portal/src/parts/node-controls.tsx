import { Button, Group } from '@mantine/core';
import { useState } from 'react';
import type { Status } from '@isthmus/protocol';
import { useDraining, useRemoveNode } from '../api/nodes.js';
import { Confirm } from './confirm.js';

type Node = Status['sites'][number]['nodes'][number];

/** What may be done with one media node: empty it, use it again, take it out of its site. */
export const NodeControls = ({ node: { node, draining, drained, legs } }: { readonly node: Node }) => {
  const [open, setOpen] = useState<'drain' | 'remove'>();
  const changing = useDraining();
  const removing = useRemoveNode();
  const close = () => setOpen(undefined);
  const change = (wanted: boolean) => changing.mutate({ node, draining: wanted }, { onSuccess: close });
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      <Button
        variant="subtle"
        size="compact-sm"
        loading={changing.isPending && open === undefined}
        onClick={() => (draining ? change(false) : setOpen('drain'))}
        aria-label={draining ? `Use again: ${node}` : `Drain ${node}`}
        data-testid="drain-node"
      >
        {draining ? 'Use again' : 'Drain'}
      </Button>
      <Button variant="subtle" size="compact-sm" onClick={() => setOpen('remove')} aria-label={`Remove ${node}`} data-testid="remove-node">
        Remove
      </Button>
      <Confirm
        opened={open === 'drain'}
        title={`Drain ${node}?`}
        verb="Drain it"
        busy={changing.isPending}
        error={changing.error}
        onConfirm={() => change(true)}
        onClose={close}
      >
        Its people are given other media nodes of the site, in their seats, without doing anything, and nobody new comes here. If the others
        have no room, they stay until there is some.
      </Confirm>
      <Confirm
        opened={open === 'remove'}
        title={`Remove ${node}?`}
        verb={drained ? 'Remove the node' : 'Remove it now'}
        busy={removing.isPending}
        error={removing.error}
        onConfirm={() => removing.mutate({ node, now: !drained }, { onSuccess: close })}
        onClose={close}
      >
        {drained || legs === 0
          ? 'Its certificate opens nothing at its site any more. Stop it on its machine afterwards.'
          : 'It is not drained: whoever is on it and finds no room on another node is cut off when it is stopped. Drain it first. Its certificate opens nothing at its site any more.'}
      </Confirm>
    </Group>
  );
};
