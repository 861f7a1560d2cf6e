/** The suites wait for disks, brokers and sockets, on machines that have other things to do. */
export const PATIENCE = { timeout: 30_000 } as const;
