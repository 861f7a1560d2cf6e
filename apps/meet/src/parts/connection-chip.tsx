import { IconAntennaBars3, IconAntennaBars5, IconAntennaBarsOff, IconLoader2 } from '@tabler/icons-react';
import { useMeetingState } from '../state/use-meeting.js';

type Condition = 'connecting' | 'good' | 'weak' | 'blocked' | 'reconnecting';
const WORDS: Readonly<Record<Condition, string>> = {
  connecting: 'Connecting…',
  good: 'Good',
  weak: 'Weak',
  blocked: 'Blocked',
  reconnecting: 'Reconnecting…',
};
const LONG: Readonly<Record<Condition, string>> = {
  connecting: 'Sound and pictures are being set up.',
  good: 'Sound and pictures arrive well.',
  weak: 'Some of what the others send is lost on the way. Pictures may stutter.',
  blocked: 'No sound or pictures get through.',
  reconnecting: 'The connection was lost. Your seat is kept; nothing to do.',
};

export const useCondition = (): Condition => {
  const gateway = useMeetingState((state) => state.gateway);
  const media = useMeetingState((state) => state.media);
  const weak = useMeetingState((state) => state.weak);
  if (media === 'reconnecting' || media === 'released' || gateway === 'lost') return 'reconnecting';
  if (media === 'blocked') return 'blocked';
  if (media !== 'good' || gateway === 'connecting') return 'connecting';
  return weak ? 'weak' : 'good';
};

/** The state of the connection: a word and a shape, not a colour alone. */
export const ConnectionChip = () => {
  const condition = useCondition();
  return (
    <span
      className="chip"
      data-condition={condition}
      data-testid="connection"
      title={LONG[condition]}
      role="status"
      aria-label={`Connection: ${WORDS[condition]} ${LONG[condition]}`}
    >
      {condition === 'good' ? <IconAntennaBars5 size={16} aria-hidden="true" /> : null}
      {condition === 'weak' ? <IconAntennaBars3 size={16} aria-hidden="true" /> : null}
      {condition === 'connecting' ? <IconLoader2 className="spin" size={16} aria-hidden="true" /> : null}
      {condition === 'reconnecting' || condition === 'blocked' ? <IconAntennaBarsOff size={16} aria-hidden="true" /> : null}
      <span className="chip-text">{WORDS[condition]}</span>
    </span>
  );
};
