import type { ConferenceStatus } from '@isthmus/protocol';
import { kbps, savedWords, units } from './figures.js';

interface SavingsProps {
  readonly savings: ConferenceStatus['savings'];
  readonly siteName: (site: string) => string;
}

/** The reason for all this: what crosses between sites, against what would with one MCU. */
export const Savings = ({ savings, siteName }: SavingsProps) => {
  const { figure, words } = savedWords(savings);
  const { mcuSite, mcuUnits, isthmusUnits, mcuKbps, isthmusKbps } = savings;
  const most = Math.max(mcuUnits, isthmusUnits, 0.001);
  return (
    <section className="savings" aria-label="Saved against one MCU" data-testid="savings">
      <p className="savings-title">Saved against one MCU</p>
      <p className="savings-figure numbers" data-testid="saved">
        {figure}
      </p>
      <p className="savings-words">
        {words}
        {savings.percent !== null && mcuSite !== null && ` in ${siteName(mcuSite)}`}
      </p>
      {savings.percent !== null && (
        <dl className="bars">
          {(
            [
              ['One MCU', mcuUnits, mcuKbps, 'mcu'],
              ['Isthmus', isthmusUnits, isthmusKbps, 'ours'],
            ] as const
          ).map(([who, hd, rate, kind]) => (
            <div key={kind} className="bar" data-kind={kind}>
              <dt>{who}</dt>
              <dd className="numbers">
                <span className="bar-track" aria-hidden="true">
                  <span className="bar-fill" style={{ width: `${(hd / most) * 100}%` }} />
                </span>
                {units(hd)} HD-units · {kbps(rate)}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
};
