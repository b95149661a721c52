import { expect, it } from 'vitest';
import { runJs } from '../src/state/js';

it('gives the values of inputs and outputs, and takes a list as the new values', async () => {
  expect(await runJs('(a, b) => [b, a + 1]', [1, 'x'])).toEqual({ values: ['x', 2] });
});

it('takes one value as a list of one, and nothing as none', async () => {
  expect(await runJs('(a) => a * 2', [4])).toEqual({ values: [8] });
  expect(await runJs('() => undefined', [])).toEqual({ values: [] });
});

it('waits for async code', async () => {
  expect(await runJs('async function (a) { return [await Promise.resolve(a)]; }', [1])).toEqual({ values: [1] });
});

it('answers a failure with its words', async () => {
  expect(await runJs('() => { throw new Error("no luck"); }', [])).toEqual({ error: 'no luck' });
  expect(await runJs('42', [])).toEqual({ error: '42 is no function' });
});
