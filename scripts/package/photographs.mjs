/** docs/photographs.md followed to the letter, in an empty folder, with photographs that are drawn here. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../build-state.mjs'
import { hostNode } from './consumer.mjs'

/** Blocks in the order of the page: commands (`sh`), what the commands above print (`text`), files (`js NAME`). */
function blocks(page) {
  return [...page.matchAll(/^```(\S+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(([, language, name, body]) => {
    assert(
      language === 'sh' || language === 'text' || (language === 'js' && name),
      `docs/photographs.md: a block of ${language} that nothing runs`,
    )
    return { language, name, body }
  })
}

/** Cats are orange discs, dogs blue boxes, birds green lines, of any size and place, on any background. */
async function draw(folder) {
  const sharp = createRequire(join(root, 'package.json'))('sharp')
  let state = 1
  const random = (from, to) => {
    state = (state * 48271) % 2147483647
    return Math.round(from + (state / 2147483647) * (to - from))
  }
  const shapes = {
    cats: () => `<circle cx="${random(50, 130)}" cy="${random(50, 100)}" r="${random(25, 45)}" fill="rgb(240,${random(120, 160)},40)"/>`,
    dogs: () =>
      `<rect x="${random(10, 80)}" y="${random(10, 50)}" width="${random(50, 90)}" height="${random(50, 90)}" fill="rgb(50,${random(60, 110)},230)"/>`,
    birds: () =>
      `<path d="M${random(5, 60)} 145 L${random(100, 175)} 5" stroke="rgb(40,${random(170, 220)},70)" stroke-width="${random(15, 30)}"/>`,
  }
  for (const [name, shape] of Object.entries(shapes)) {
    mkdirSync(join(folder, 'photos', name), { recursive: true })
    for (let i = 0; i < 40; i++) {
      const grey = random(120, 220)
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="180" height="150"><rect width="180" height="150" fill="rgb(${grey},${grey},${grey})"/>${shape()}</svg>`
      await sharp(Buffer.from(svg))
        .jpeg()
        .toFile(join(folder, 'photos', name, `${String(i).padStart(3, '0')}.jpg`))
    }
  }
}

/** What is printed is what the page has, where `…` stands for anything in a line, and in a line of its own for any lines. */
function expectPrinted(printed, documented) {
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +')
  const pattern = `${documented.trim()}\n`
    .split(/^…\n/m)
    .map((part) => part.split('…').map(escaped).join('[^\\n]*'))
    .join('(?:.*\\n)*')
  assert.match(`${printed.trim()}\n`, new RegExp(`^${pattern}$`), `docs/photographs.md has\n${documented}\nprinted was\n${printed}`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

export async function photographs({ tarball }) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-photographs-'))
  const port = await freePort()
  const env = { ...process.env, PATH: `${dirname(hostNode)}:/usr/bin:/bin` }
  await draw(folder)
  writeFileSync(join(folder, 'package.json'), '{}')
  let printed = ''
  let server
  try {
    for (const { language, name, body } of blocks(readFileSync(join(root, 'docs/photographs.md'), 'utf8'))) {
      if (language === 'js') writeFileSync(join(folder, name), body.replace('listen(3000', `listen(${port}`))
      else if (language === 'text') expectPrinted(printed, body)
      else {
        printed = ''
        for (const line of body.trim().replaceAll('\\\n', ' ').split('\n')) {
          const command = line.replace(/^npm install convlane\b/, `npm install ${tarball}`).replaceAll(':3000', `:${port}`)
          console.log(`  $ ${line}`)
          if (command.endsWith(' &')) {
            server = spawn('bash', ['-c', `exec ${command.slice(0, -2)}`], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] })
            await listening(port, server)
            continue
          }
          const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: folder, env, encoding: 'utf8', timeout: 300_000 })
          assert.equal(status, 0, `${line}\n${stdout}${stderr}`)
          printed += stdout
        }
      }
    }
  } finally {
    server?.kill('SIGTERM')
  }
  assert(server, 'docs/photographs.md starts no server')
  const [code] = server.exitCode === null ? await once(server, 'exit') : [server.exitCode]
  assert.equal(code, 0, `the server ended with ${code}`)
  rmSync(folder, { recursive: true, force: true })
}

async function listening(port, server) {
  for (let tries = 0; tries < 300; tries++) {
    assert.equal(server.exitCode, null, 'the server ended at once')
    const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await sleep(100)
  }
  throw new Error('the server does not listen')
}
