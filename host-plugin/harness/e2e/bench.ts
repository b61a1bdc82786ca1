/**
 * Both plugins in one page: ours with a component, the shell plugin with the native program of the same source. Both sides run in
 * turn, and the ratio is taken pair by pair, since an absolute time says little on a machine that does other things as well.
 */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ROWS, type Row } from './bench-rows.js'
import { harness } from './environment.js'
import { Session } from './session.js'

/** Pairs that run first and are not counted; none where a single pair is all there is time for. */
const warmUp = (n: number) => (n > 1 ? 1 : 0)

interface Result {
  name: string
  unit: string
  n: number
  more_is_better: boolean
  budget: string | null
  met: boolean | null
  against: string
  ours: number
  theirs: number
  ratio_median: number
  ratio_p10: number
  ratio_p90: number
}

test('both plugins', async () => {
  const { BENCH_QUICK, BENCH_ONLY, BENCH_JSON } = process.env
  const rows = ROWS.filter(({ name }) => name.includes(BENCH_ONLY ?? ''))
  expect(rows, `no row has that name; there are: ${ROWS.map(({ name }) => name).join(', ')}`).not.toEqual([])
  const session = new Session()
  await session.open(harness('release'))
  try {
    const results: Result[] = []
    console.log(line(['what', 'ours', 'shell plugin', 'ratio', '10 % to 90 %', 'pairs']))
    for (const row of rows) {
      const result = await compare(row, session, BENCH_QUICK ? row.quick : row.full)
      results.push(result)
      console.log(show(result, row))
    }
    if (BENCH_JSON) writeFileSync(BENCH_JSON, JSON.stringify(results, null, 2) + '\n')
  } finally {
    await session.close()
  }
})

async function compare(row: Row, session: Session, n: number): Promise<Result> {
  const pairs: [number, number][] = []
  for (let i = 0; i < warmUp(n) + n; i++) {
    const ours = await row.run(session, 'guests')
    const theirs = await row.run(session, 'shell')
    if (i >= warmUp(n)) pairs.push([ours, theirs])
  }
  const ratios = pairs.map(([ours, theirs]) => ours / theirs)
  const ratio = quantile(ratios, 0.5)
  const ours = quantile(pairs.map(([ours]) => ours), 0.5)
  return {
    name: row.name,
    unit: row.unit,
    n,
    more_is_better: row.rate,
    ...judged(row, ratio, ours),
    against: 'tauri-plugin-shell',
    ours,
    theirs: quantile(pairs.map(([, theirs]) => theirs), 0.5),
    ratio_median: ratio,
    ratio_p10: quantile(ratios, 0.1),
    ratio_p90: quantile(ratios, 0.9)
  }
}

/** The budget, of the ratio or of our own number, and whether it is met. */
function judged({ budget, own, rate, unit }: Row, ratio: number, ours: number): Pick<Result, 'budget' | 'met'> {
  if (own !== undefined) return { budget: `≤ ${own} ${unit}`, met: ours <= own }
  if (budget === undefined) return { budget: null, met: null }
  return rate ? { budget: `≥ ${budget}`, met: ratio >= budget } : { budget: `≤ ${budget}`, met: ratio <= budget }
}

/** The value below which this part of all values lies. */
function quantile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)]!
}

function show(result: Result, row: Row): string {
  const amount = (value: number) => `${three(value)} ${result.unit}`
  const spread = `${three(result.ratio_p10)} to ${three(result.ratio_p90)}`
  const better = [row.rate ? 'more is better' : 'less is better', result.met === null ? '' : `${result.budget} ${result.met ? 'met' : 'MISSED'}`]
  const cells = [result.name, amount(result.ours), amount(result.theirs), `${three(result.ratio_median)}×`, spread, String(result.n)]
  return `${line(cells)}  ${better.filter(Boolean).join(', ')}`
}

function line([name, ...cells]: string[]): string {
  const widths = [16, 16, 9, 18, 6]
  return name!.padEnd(30) + cells.map((cell, i) => cell.padStart(widths[i]!)).join(' ')
}

/** Three significant digits. */
function three(value: number): string {
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}
