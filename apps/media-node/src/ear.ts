/** So many probes that were sent and did not come, one after the other, and media packets neither: nothing comes from there. */
export const LOST_IN_A_ROW = 12;
/** So many that did come without a gap, and it is heard again. */
const HEARD_IN_A_ROW = 8;
/**
 * What the other end says to have sent counts only so many looks later: its word comes by another way than its probes, and a
 * process that stood still finds both waiting when it goes on.
 */
const LOOKS_LATER = 4;

/**
 * Whether media packets come here from one other node. The other end counts the probes that it sends and says how many by
 * another way (TCP): so only probes are missed that were sent, and neither a sender nor a receiver that is short of CPU
 * makes a false alarm. Received RTP counts for probes (merge rule 7).
 */
export class Ear {
  private arrived = 0;
  private said = 0;
  private settling: number[] = [];
  private inARow = 0;
  private hearing = true;

  get hears(): boolean {
    return this.hearing;
  }

  /** A probe came. @param number from 1, one more for each that was sent */
  probe(number: number): void {
    if (number <= this.arrived) return;
    this.inARow = number === this.arrived + 1 ? this.inARow + 1 : 1;
    this.arrived = number;
    if (this.inARow >= HEARD_IN_A_ROW) this.hearing = true;
  }

  /** The other end says how many it has sent. */
  told(sent: number): void {
    this.said = Math.max(this.said, sent);
  }

  /** Media packets came since this was last asked: as good as all probes up to now. */
  media(): void {
    if (this.hearing) this.arrived = Math.max(this.arrived, this.said);
  }

  /** The other end counts from the beginning; what is known of the way stays. */
  begin(): void {
    [this.arrived, this.said, this.inARow, this.settling] = [0, 0, 0, []];
  }

  /** To be called at an even pace. */
  look(): void {
    this.settling.push(this.said);
    if (this.settling.length <= LOOKS_LATER) return;
    const sent = this.settling.shift() ?? 0;
    if (sent - this.arrived < LOST_IN_A_ROW) return;
    this.hearing = false;
    this.inARow = 0;
  }
}
