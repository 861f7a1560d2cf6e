/** Two coasts and the narrow land between them; the same mark as in the meeting client. */
const Mark = ({ size = 28 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <path
      className="mark-land"
      d="M9.5 3.5c3.6 0 6.5 2.9 6.5 6.5v1.2c0 2.3.5 4.2 1.7 5.4 1.1 1.1 2.7 1.4 4.8 1.4a6.5 6.5 0 1 1-6.5 6.5v-1.2c0-2.3-.5-4.2-1.7-5.4-1.1-1.1-2.7-1.4-4.8-1.4a6.5 6.5 0 1 1 0-13Z"
    />
    <circle className="mark-here" cx="9.5" cy="10" r="2.6" />
    <circle className="mark-there" cx="22.5" cy="24.5" r="2.6" />
  </svg>
);

export const Wordmark = () => (
  <span className="wordmark">
    <Mark />
    <span>Isthmus</span>
    <span className="product">portal</span>
  </span>
);
