import { readFileSync, readdirSync } from 'node:fs';

/** proc(5) counts CPU time in hundredths of a second (USER_HZ). */
const TICK_MS = 10;

/** Fields of /proc/PID/stat after the program's name, which may hold anything. @param {number} pid */
const statOf = (pid) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');

/** User and system time of a process so far. @param {number} pid */
export const cpuMs = (pid) => {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

/** The processes that `pid` started and that live. @param {number} pid @returns {number[]} */
export const childrenOf = (pid) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      try {
        return Number(statOf(other)[1]) === pid;
      } catch {
        return false;
      }
    });

/** @param {number} pid @returns {string[]} */
export const commandOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

/** `NAME=value`, as it was started. @param {number} pid @returns {string[]} */
export const environmentOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

/** Resident memory of its own: what it shares with others, such as a program's text, is not counted. @param {number} pid @returns {number} MiB */
export const ownMemoryMiB = (pid) => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = ['Private_Clean', 'Private_Dirty'].reduce(
    (sum, key) => sum + Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]),
    0,
  );
  return kib / 1024;
};
