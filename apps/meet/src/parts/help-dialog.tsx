import { Dialog } from './dialog.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['M', 'Microphone on or off'],
  ['V', 'Camera on or off'],
  ['R', 'Who is here'],
  ['L', 'Leave'],
  ['?', 'These shortcuts'],
  ['Arrows', 'Move your own picture, when it has the focus'],
];

export const HelpDialog = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog
    title="Keyboard shortcuts"
    onClose={onClose}
    actions={
      <button type="button" className="button button-accent" onClick={onClose} data-first>
        Done
      </button>
    }
  >
    <dl className="keys">
      {KEYS.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  </Dialog>
);
