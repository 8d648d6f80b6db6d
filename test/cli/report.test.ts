import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { convlane } from '../support/cli'
import { temporaryFolder } from '../support/folder'

const quick = ['train', '--epochs', '2', '--variants', '1', '--model', 'mlp']

test('train and report write a page of the run, with its numbers', async () => {
  const cwd = temporaryFolder()
  const trained = await convlane([...quick, '--report', 'out.html', '--out', 'm.safetensors', '--json'], { cwd })
  expect(trained.code).toBe(0)
  expect(trained.stderr).toContain('wrote out.html\n')
  const { testAccuracy, weightsSha256 } = JSON.parse(trained.stdout)
  const page = readFileSync(join(cwd, 'out.html'), 'utf8')
  const text = page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
  expect(text).toContain(`Of 360 samples ${Math.round(360 * testAccuracy)} are told right`)
  expect(text).toContain(weightsSha256)
  expect(text).toContain('convlane train --epochs 2 --variants 1 --model mlp --report out.html --out m.safetensors --json')
  expect(page).toContain('aria-label="Loss: steps from')

  const later = await convlane(['report', 'm.safetensors', '--index', '7', '2', '--mistakes', '1'], { cwd })
  expect([later.code, later.stdout]).toEqual([0, 'wrote m.html\n'])
  const second = readFileSync(join(cwd, 'm.html'), 'utf8')
  expect(second).toContain(weightsSha256)
  expect([...second.matchAll(/<summary>sample (\d+):/g)].map(([, index]) => index)).toEqual(['7', '2'])
  expect(second).toContain('aria-label="Loss: training from')

  const wrong = async (...argv: string[]) => {
    const { code, stderr } = await convlane(['report', ...argv], { cwd })
    return `${code} ${stderr}`
  }
  expect(await wrong()).toMatch(/^2 convlane: MODEL is missing/)
  expect(await wrong('m.safetensors', '--index', '360')).toMatch(/^2 convlane: --index 360: there are test images 0 to 359/)
  expect(await wrong('m.safetensors', '--out', 'none/x.html')).toMatch(
    /^1 convlane: cannot write none\/x.html: no such file.*\(FILE_ERROR\)/,
  )
  const late = await convlane([...quick, '--report', 'none/x.html'], { cwd })
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('cannot write none/x.html')])
  expect(readdirSync(cwd).sort()).toEqual(['m.html', 'm.safetensors', 'out.html'])
})
