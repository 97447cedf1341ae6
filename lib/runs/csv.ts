import type { Run } from '../train/run.ts'
import { snake } from './scalars.ts'

/** The history as a table, as Keras's CSVLogger writes it: a row an epoch from 0, the measures in alphabetical order. */
export function csvOf(run: Run): string {
  const columns: Record<string, number[]> = Object.fromEntries(
    Object.entries(run.history).map(([name, values]) => [snake(name), values]))
  if (run.rates.length) columns.learning_rate = run.rates
  const names = Object.keys(columns).sort()
  const rows = run.history.loss.map((_, epoch) => [epoch, ...names.map(name => columns[name][epoch])])
  return [['epoch', ...names], ...rows].map(row => `${row.map(cell).join(',')}\n`).join('')
}

const cell = (value: unknown): string => {
  const text = String(value ?? '')
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
