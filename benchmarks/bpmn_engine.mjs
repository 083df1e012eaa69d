// Seconds that the npm package bpmn-engine takes for one user task when each request recovers the saved state and saves it again.
// Reads the diagram from standard input, writes {"stateless": seconds}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { EventEmitter } from 'node:events';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.cwd()}/package.json`));
const { Engine } = require('bpmn-engine');
const source = readFileSync(0, 'utf8');
const ROUNDS = 60;

const first = new Engine({ name: 'bench', source });
const started = new EventEmitter();
const waiting = new Promise((resolve) => started.once('activity.wait', resolve));
await first.execute({ listener: started });
await waiting;
const state = JSON.stringify(await first.getState());
await first.stop();

const times = [];
for (let round = 0; round < ROUNDS; round++) {
  const began = process.hrtime.bigint();
  const engine = new Engine({ name: 'bench' }).recover(JSON.parse(state));
  const listener = new EventEmitter();
  const next = new Promise((resolve) => {
    listener.on('activity.wait', (task) => (task.id === 't1' ? task.signal({ opinion: '同意' }) : resolve()));
  });
  await engine.resume({ listener });
  await next;
  JSON.stringify(await engine.getState());
  times.push(Number(process.hrtime.bigint() - began) / 1e9);
  await engine.stop();
}
times.sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ stateless: times[ROUNDS >> 1] }));
