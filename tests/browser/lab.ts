import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { pythonOf, root, stateFolder, venv } from '../../install/place.js'

/** Where the browser lies; `GRAFT_CHROMIUM` names another. */
export const chromiumPath = process.env.GRAFT_CHROMIUM ?? '/usr/bin/chromium'
/** Why browser tests cannot run here, or `false`. */
export const noBrowser = existsSync(chromiumPath) ? false : `no Chromium at ${chromiumPath} (Debian: apt install chromium)`
/** Screenshots to look at. */
export const shots = join(stateFolder, 'screenshots')

/** JupyterLab, or Notebook 7, with the project's kernel on a folder, on a free loopback port, with settings of its own. Ended by pid. */
export class Lab {
  readonly folder: string
  #server: ChildProcess
  #scratch: string
  #url: string
  #token: string
  #app: string
  #browser: Browser | undefined
  #log = ''

  private constructor(server: ChildProcess, folder: string, scratch: string, url: string, token: string, app: string) {
    this.#server = server
    this.folder = folder
    this.#scratch = scratch
    this.#url = url
    this.#token = token
    this.#app = app
    for (const stream of [server.stdout, server.stderr]) stream?.on('data', chunk => { this.#log = (this.#log + chunk).slice(-20_000) })
  }

  /**
   * Starts a server on `folder`.
   * @param options.environment the virtual environment whose server it is; the kernel is that of the clone
   * @param options.app `notebook` for Notebook 7
   */
  static async start(folder: string, { environment = venv, app = 'jupyterlab' }: { environment?: string, app?: 'jupyterlab' | 'notebook' } = {}): Promise<Lab> {
    const scratch = mkdtempSync(join(tmpdir(), 'graft-lab-'))
    const token = randomBytes(16).toString('hex')
    const port = await freePort()
    const env = { ...process.env, JUPYTER_PREFER_ENV_PATH: '1', JUPYTER_PATH: join(venv, 'share', 'jupyter') } as Record<string, string>
    for (const kind of ['CONFIG', 'DATA', 'RUNTIME']) {
      env[`JUPYTER_${kind}_DIR`] = join(scratch, kind.toLowerCase())
      mkdirSync(env[`JUPYTER_${kind}_DIR`])
    }
    const settings = join(scratch, 'settings')
    mkdirSync(settings)
    const server = spawn(pythonOf(environment), ['-m', app, '--no-browser', '--allow-root', '--ip=127.0.0.1', `--port=${port}`, '--expose-app-in-browser',
      `--IdentityProvider.token=${token}`, `--ServerApp.root_dir=${folder}`, `--LabApp.user_settings_dir=${settings}`, `--LabApp.workspaces_dir=${join(scratch, 'workspaces')}`],
      { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const lab = new Lab(server, folder, scratch, `http://127.0.0.1:${port}`, token, app)
    for (let i = 0; i < 240; i++) {
      if (server.exitCode !== null) throw new Error(`${app} ended with ${server.exitCode}:\n${lab.#log}`)
      if (await fetch(`${lab.#url}/api?token=${token}`).then(answer => answer.ok, () => false)) return lab
      await wait(250)
    }
    await lab.stop()
    throw new Error(`${app} did not answer within a minute:\n${lab.#log}`)
  }

  /** Opens a notebook of the folder in the browser and waits until its kernel is there. `theme` is `'JupyterLab Dark'` or the light default. */
  async open(notebook: string, { theme = 'JupyterLab Light' } = {}): Promise<Page> {
    this.#set('apputils-extension', 'themes', { theme })
    // By default only what is in view is in the page.
    this.#set('notebook-extension', 'tracker', { windowingMode: 'none' })
    const page = await this.#page()
    await page.goto(`${this.#url}/${this.#app === 'notebook' ? 'notebooks' : 'lab/tree'}/${notebook}?token=${this.#token}&reset`)
    await page.waitForSelector('.jp-NotebookPanel .jp-Cell', { timeout: 60_000 })
    await page.waitForFunction(() => {
      const app = (window as any).jupyterapp
      return app?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
    }, undefined, { timeout: 60_000 })
    return page
  }

  /** Opens an HTML file in the browser, as it is on this disk: nothing of the network is loaded. */
  async openFile(path: string): Promise<Page> {
    const page = await this.#page()
    await page.route(/^https?:/, route => route.abort())
    await page.goto(pathToFileURL(path).href)
    return page
  }

  async #page(): Promise<Page> {
    this.#browser ??= await chromium.launch({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    })
    return this.#browser.newPage({ viewport: { width: 1280, height: 1600 } })
  }

  #set(extension: string, plugin: string, values: object): void {
    const folder = join(this.#scratch, 'settings', '@jupyterlab', extension)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${plugin}.jupyterlab-settings`), JSON.stringify(values))
  }

  /** Runs all cells and waits until the kernel is idle and every code cell has its number. */
  async runAll(page: Page, timeout = 180_000): Promise<void> {
    await page.evaluate(() => (window as any).jupyterapp.commands.execute('notebook:run-all-cells'))
    await page.waitForFunction(() => {
      const panel = (window as any).jupyterapp.shell.currentWidget
      const cells = panel.content.widgets.filter((cell: any) => cell.model.type === 'code' && cell.model.sharedModel.source.trim())
      return cells.every((cell: any) => cell.model.executionCount !== null && cell.model.executionState !== 'running' && cell.promptNode?.textContent !== '[*]:') &&
        panel.sessionContext.session.kernel.status === 'idle'
    }, undefined, { timeout })
  }

  /** Writes the notebook to disk. */
  async save(page: Page): Promise<void> {
    await page.evaluate(() => (window as any).jupyterapp.commands.execute('docmanager:save'))
  }

  /** Ends the notebook's kernel. */
  async endKernel(page: Page): Promise<void> {
    await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.sessionContext.shutdown())
  }

  /** Saves the whole notebook area as a picture to look at. */
  async shoot(page: Page, name: string): Promise<string> {
    mkdirSync(shots, { recursive: true })
    const path = join(shots, `${name}.png`)
    await page.screenshot({ path })
    return path
  }

  /** Saves a code cell with its outputs as a picture. */
  async shootCell(page: Page, cell: number, name: string): Promise<void> {
    mkdirSync(shots, { recursive: true })
    await page.locator('.jp-CodeCell').nth(cell).screenshot({ path: join(shots, `${name}.png`) })
  }

  async stop(): Promise<void> {
    await this.#browser?.close()
    if (this.#server.exitCode === null) {
      const ended = new Promise(resolve => this.#server.once('close', resolve))
      this.#server.kill('SIGTERM')
      const forced = setTimeout(() => this.#server.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(forced)
    }
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}

/** Text of all outputs of the page's notebook, by code cell. */
export const outputs = (page: Page): Promise<string[]> =>
  page.$$eval('.jp-CodeCell', cells => cells.map(cell => [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => (output as HTMLElement).innerText).join('\n')))

export const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number }
    server.close(() => resolve(port))
  })
})

/** The clone's folder, for notebooks and images. */
export const project = root
