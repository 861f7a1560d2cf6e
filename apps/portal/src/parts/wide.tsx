import type { CSSProperties, ReactNode } from 'react';

/** A table that may be wider than the window: it scrolls by itself, by keyboard too. */
export const Wide = ({
  label,
  style,
  children,
}: {
  readonly label: string;
  readonly style?: CSSProperties;
  readonly children: ReactNode;
}) => (
  <div className="scroll-x" role="region" aria-label={label} tabIndex={0} style={style}>
    {children}
  </div>
);
