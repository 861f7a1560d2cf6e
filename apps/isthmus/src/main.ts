#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Compiled once per version of the code: a start is mostly compiling.
enableCompileCache();
const { program } = await import('./program.js');

await program(fileURLToPath(import.meta.url)).parseAsync();
