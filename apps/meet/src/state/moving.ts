import { gatewayOfWay, type MoveOffer } from '@isthmus/protocol';
import { Move, type Arrived, type MoveParts } from '../net/move.js';

export interface MovingParts {
  /** By which WebSocket this page came: a move is made by ways as safe as that one only. */
  readonly gatewayUrl: string;
  /** What to ask for there, as it is at that moment; undefined: this person is in no meeting, and nothing is to be moved. */
  readonly wanted: () => Promise<Omit<MoveParts, 'url'> | undefined>;
  readonly arrived: (at: Arrived) => void;
}

/** Takes a person to another site when theirs is to end (ADR 0090): when it is their turn, by one way after the other. */
export class Moving {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #move: Move | null = null;
  /** Counts offers and ends of offers: whatever was begun for an earlier one is not gone on with. */
  #turn = 0;

  constructor(private readonly parts: MovingParts) {}

  /** @param otherwise when no way leads there: the person is asked, as nobody else can help */
  begin({ afterMs, ways }: MoveOffer, otherwise: () => void): void {
    this.stop();
    const turn = this.#turn;
    const go = async (): Promise<void> => {
      if (!(await this.#go(ways, turn)) && this.#turn === turn) otherwise();
    };
    this.#timer = setTimeout(() => void go(), afterMs);
  }

  /** Nothing is to be moved any more. */
  stop(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#move?.giveUp();
    this.#move = null;
  }

  async #go(ways: MoveOffer['ways'], turn: number): Promise<boolean> {
    for (const way of ways) {
      const url = gatewayOfWay(way, this.parts.gatewayUrl);
      const wanted = await this.parts.wanted();
      if (this.#turn !== turn || wanted === undefined) return false;
      if (url === undefined) continue;
      this.#move = new Move({ url, ...wanted });
      const arrived = await this.#move.outcome;
      if (arrived === undefined) continue;
      this.#move = null;
      this.parts.arrived(arrived);
      return true;
    }
    return false;
  }
}
