import { useEffect, useRef, type ReactNode } from 'react';

interface PopoverProps {
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A small panel over the button that opened it (its parent element). Escape, or a click elsewhere, closes it. */
export const Popover = ({ label, onClose, children }: PopoverProps) => {
  const element = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    const opener = document.activeElement;
    element.current?.querySelector<HTMLElement>('button, select, a')?.focus();
    const outside = (event: Event): void => {
      if (event.target instanceof Node && element.current?.parentElement?.contains(event.target) === false) close.current();
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      close.current();
      if (opener instanceof HTMLElement) opener.focus();
    };
    addEventListener('pointerdown', outside);
    addEventListener('focusin', outside);
    addEventListener('keydown', escape);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('focusin', outside);
      removeEventListener('keydown', escape);
    };
  }, []);
  return (
    <div className="popover" ref={element} role="dialog" aria-label={label}>
      {children}
    </div>
  );
};
