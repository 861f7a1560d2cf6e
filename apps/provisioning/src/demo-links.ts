/** One direction between two sites of a demo, and whether somebody cut it. */
export interface DemoLink {
  readonly from: string;
  readonly to: string;
  readonly cut: boolean;
}

/** The links of a demo, which may be cut and healed at will. A real deployment has nothing of the kind. */
export interface DemoLinks {
  list(): Promise<readonly DemoLink[]>;
  /** @param choice `to` left out: all links of `from`; `from` left out too: all links. @returns every link as it is then */
  change(
    choice: { readonly from?: string | undefined; readonly to?: string | undefined; readonly oneWay: boolean },
    cut: boolean,
  ): Promise<readonly DemoLink[]>;
}

/** For Nest. Provided, and its edge there, in a demo only. */
export const DEMO_LINKS = 'isthmus:demo-links';
/** Whether this deployment is a demo. */
export const IS_DEMO = 'isthmus:is-demo';
