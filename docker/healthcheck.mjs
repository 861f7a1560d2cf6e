// Asks the service in this container whether it is ready. ISTHMUS_HEALTH_URL says where; without it, being alive is enough.
const url = process.env.ISTHMUS_HEALTH_URL;
if (url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_500) });
    if (!answer.ok) throw new Error(await answer.text());
  } catch (error) {
    console.error(`not ready: ${error.cause?.message ?? error.message}`);
    process.exit(1);
  }
}
