import { ActionIcon, Tooltip, useComputedColorScheme } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import cytoscape, { type CollectionReturnValue, type Core, type ElementDefinition, type NodeSingular } from 'cytoscape';
import { useEffect, useRef } from 'react';
import { arrange } from './arrange.js';
import { graphStyle } from './graph-style.js';
import type { Picture } from './picture.js';

interface GraphProps {
  readonly picture: Picture;
  /** For whom cannot see it; the table beside it has every figure. */
  readonly summary: string;
  readonly chosen: string | undefined;
  readonly pointed: string | undefined;
  readonly onChoose: (conference: string | undefined) => void;
}

const PADDING = 26;
const ZOOM_STEP = 1.25;

/** Draws the picture, and keeps it as the estate changes: what stays does not move, and nobody's zoom is taken away. */
export const Graph = ({ picture, summary, chosen, pointed, onChoose }: GraphProps) => {
  const frame = useRef<HTMLDivElement>(null);
  const core = useRef<Core>(undefined);
  const shape = useRef('');
  const touched = useRef(false);
  const choose = useRef(onChoose);
  choose.current = onChoose;
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    const container = frame.current;
    if (!container) return;
    const cy = cytoscape({
      container,
      style: graphStyle(),
      minZoom: 0.25,
      maxZoom: 2.5,
      // The wheel and a finger scroll the page; buttons zoom.
      userZoomingEnabled: false,
      userPanningEnabled: matchMedia('(pointer: fine)').matches,
      boxSelectionEnabled: false,
      autoungrabify: true,
      autounselectify: true,
    });
    core.current = cy;
    shape.current = '';
    cy.on('tap', (event) => {
      if (event.target === cy) choose.current(undefined);
    });
    cy.on('tap', 'node.conference', (event) => choose.current(String((event.target as NodeSingular).data('conference'))));
    cy.on('mouseover', 'node', (event) => light(cy, cy.getElementById((event.target as NodeSingular).id())));
    cy.on('mouseout', 'node', () => lightConference(cy));
    cy.on('dragpan', () => {
      touched.current = true;
    });
    const resized = new ResizeObserver(() => {
      cy.resize();
      if (!touched.current) cy.fit(undefined, PADDING);
    });
    resized.observe(container);
    return () => {
      resized.disconnect();
      cy.destroy();
    };
  }, []);

  useEffect(() => {
    core.current?.style(graphStyle());
  }, [scheme]);

  useEffect(() => {
    const cy = core.current;
    const container = frame.current;
    if (!cy || !container) return;
    draw(cy, picture, container.clientWidth / Math.max(1, container.clientHeight));
    const now = [...cy.elements().map((element) => element.id()), ...picture.sites.map(({ id, side }) => `${id}@${side}`)].sort().join();
    if (now !== shape.current && !touched.current) cy.fit(undefined, PADDING);
    shape.current = now;
    cy.scratch('lit', pointed ?? chosen);
    lightConference(cy);
  }, [picture, chosen, pointed]);

  const zoom = (by: number): void => {
    const cy = core.current;
    if (!cy) return;
    touched.current = true;
    cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  };
  const fit = (): void => {
    touched.current = false;
    core.current?.fit(undefined, PADDING);
  };
  return (
    <div className="graph">
      <div ref={frame} className="graph-canvas" role="img" aria-label={summary} data-testid="graph" />
      <div className="graph-buttons">
        <Press label="Larger" onPress={() => zoom(ZOOM_STEP)} icon={<IconPlus size={17} aria-hidden="true" />} />
        <Press label="Smaller" onPress={() => zoom(1 / ZOOM_STEP)} icon={<IconMinus size={17} aria-hidden="true" />} />
        <Press label="Show everything" onPress={fit} icon={<IconFocusCentered size={17} aria-hidden="true" />} />
      </div>
    </div>
  );
};

const Press = ({ label, onPress, icon }: { readonly label: string; readonly onPress: () => void; readonly icon: React.ReactNode }) => (
  <Tooltip label={label} position="left">
    <ActionIcon variant="default" size={36} onClick={onPress} aria-label={label}>
      {icon}
    </ActionIcon>
  </Tooltip>
);

const elementsOf = (picture: Picture): readonly (ElementDefinition & { readonly data: { readonly id: string } })[] => [
  ...picture.sites.map(({ id, label, up, nodes }) => ({
    group: 'nodes' as const,
    data: { id, label },
    classes: ['site', ...(up ? [] : ['silent']), ...(nodes.length === 0 ? ['empty'] : [])],
  })),
  ...picture.sites.flatMap(({ id: parent, nodes }) =>
    nodes.map(({ id, label, condition }) => ({ group: 'nodes' as const, data: { id, label, parent }, classes: ['media', condition] })),
  ),
  ...picture.conferences.map(({ id, conference, label, mark }) => ({
    group: 'nodes' as const,
    data: { id, conference, label: `${mark.letter}  ${label}`, colour: mark.colour },
    classes: ['conference'],
  })),
  ...picture.conferences.flatMap(({ id: source, carriedBy, mark }) =>
    carriedBy.map((target) => ({
      group: 'edges' as const,
      data: { id: `${source}~${target}`, source, target, colour: mark.colour },
      classes: ['carries'],
    })),
  ),
  ...picture.crossings.map(({ id, from, to, label, up, idle }) => ({
    group: 'edges' as const,
    data: { id, source: from, target: to, label },
    classes: ['crossing', ...(idle ? ['idle'] : []), ...(up ? [] : ['cut'])],
  })),
];

/** Brings the canvas from what it shows to what it should show. */
const draw = (cy: Core, picture: Picture, aspect: number): void => {
  const nodes = new Set(picture.sites.flatMap((site) => [site.id, ...site.nodes.map(({ id }) => id)]));
  // A seat may be at a node that has not reported yet.
  const wanted = elementsOf(picture).filter(({ data }) => data.target === undefined || nodes.has(String(data.target)));
  const ids = new Set(wanted.map(({ data }) => data.id));
  const places = arrange(picture, aspect);
  cy.batch(() => {
    cy.elements()
      .filter((element) => !ids.has(element.id()))
      .remove();
    for (const element of wanted) {
      const there = cy.getElementById(element.data.id);
      if (there.empty()) cy.add({ ...element, classes: [...(element.classes ?? [])] });
      else there.data(element.data).classes([...(element.classes ?? [])]);
    }
    for (const [id, place] of places) {
      const there = cy.getElementById(id);
      if (there.nonempty()) there.position({ ...place });
    }
    // A name stands on its site's outer side, where no crossing arrives.
    cy.nodes('.site').forEach((site) => void site.toggleClass('lower', site.position().y > 0));
  });
};

/** The conference that is chosen or pointed at in the list, on every side of a split. */
const lightConference = (cy: Core): void => {
  const lit = cy.scratch('lit') as string | undefined;
  light(
    cy,
    cy.nodes('.conference').filter((node) => lit !== undefined && node.data('conference') === lit),
  );
};

/** Shows what belongs to one thing and fades the rest; nothing given, everything shows. */
const light = (cy: Core, target: CollectionReturnValue): void => {
  cy.batch(() => {
    cy.elements().removeClass('faded lit');
    if (target.empty()) return;
    const parts = target.union(target.children());
    const near = parts.closedNeighborhood();
    const shown = near.union(near.parents()).union(near.children());
    const busy = target.hasClass('conference') ? cy.edges('.crossing').not('.idle') : cy.collection();
    // A broken link is never faded: it is what somebody looks for.
    cy.elements()
      .difference(shown.union(busy).union(cy.edges('.cut')))
      .addClass('faded');
    target.addClass('lit');
    target.connectedEdges('.carries').addClass('lit');
  });
};
