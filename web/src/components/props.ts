/** Properties from the wire as the types a component wants; what does not fit counts as not given. */
import type { Json } from '../wire/types';

export const text = (v: Json | undefined, otherwise = ''): string =>
  typeof v === 'string' ? v : typeof v === 'number' || typeof v === 'boolean' ? String(v) : otherwise;

export const number = (v: Json | undefined): number | null =>
  typeof v === 'number' && Number.isFinite(v) ? v : null;

export const flag = (v: Json | undefined, otherwise: boolean): boolean =>
  typeof v === 'boolean' ? v : otherwise;

export const list = (v: Json | undefined): Json[] => (Array.isArray(v) ? v : []);

export const texts = (v: Json | undefined): string[] =>
  typeof v === 'string' ? v.split(/\s+/).filter(Boolean) : list(v).filter((x) => typeof x === 'string');

export const record = (v: Json | undefined): Record<string, Json> =>
  v !== null && typeof v === 'object' && !Array.isArray(v) ? v : {};

export interface Choice {
  name: string;
  value: Json;
}

/** `choices` as [name, value] pairs; a bare value is its own name. */
export function choices(v: Json | undefined): Choice[] {
  return list(v).map((item) =>
    Array.isArray(item) && item.length === 2
      ? { name: text(item[0]), value: item[1] ?? null }
      : { name: text(item), value: item },
  );
}

/** Whether two wire values say the same. */
export const same = (a: Json, b: Json): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
