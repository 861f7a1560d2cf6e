import { useEffect, useRef, type ReactNode } from 'react';

interface PageHeadProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly children?: ReactNode;
}

let first = true;

/** A page's title, which also names the tab, and takes the focus so that a screen reader hears where it is now. */
export const PageHead = ({ title, lead, children }: PageHeadProps) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, []);
  useEffect(() => {
    document.title = `${title} · Isthmus`;
  }, [title]);
  return (
    <header className="page-head">
      <div>
        <h1 ref={heading} tabIndex={-1} data-testid="title">
          {title}
        </h1>
        {lead !== undefined && <p className="page-lead">{lead}</p>}
      </div>
      {children}
    </header>
  );
};
