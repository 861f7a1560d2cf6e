import { Link } from '../parts/link.js';
import { PageHead } from '../parts/page-head.js';

export const LostPage = () => (
  <>
    <PageHead title="There is no such page" lead="The address may be mistyped, or what it named was deleted." />
    <p>
      <Link href="/">Go to Live View</Link> or <Link href="/rooms">look at the rooms</Link>.
    </p>
  </>
);
