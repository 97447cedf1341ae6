import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** One entry as `history_reply` carries it: session, line, and the source, or source and output. */
export type Entry = [session: number, line: number, source: string | [string, string | null]]

interface Row { session: number, line: number, source: string, output: string | null }

/**
 * The cells that were run, in this kernel and the ones before, in a small database.
 *
 * @example
 * const history = new History()
 * history.add(1, '1 + 1', '2')
 * history.answer({ hist_access_type: 'tail', n: 10, output: true })   // [[7, 1, ['1 + 1', '2']]]
 */
export class History {
  readonly #database: DatabaseSync
  /** The session of each shell, by its number. */
  readonly #sessions = new Map<number, number>()

  /** @param path the database; `:memory:` keeps nothing. Without write permission nothing is kept either. */
  constructor(path: string = process.env.GRAFT_HISTORY ?? join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'graft', 'history.sqlite')) {
    this.#database = open(path)
    this.#sessionOf(0)
  }

  /** @param shell the number of the shell in which it ran: each has a session of its own, as their lines are counted apart */
  add(line: number, source: string, output: string | null, shell: number = 0): void {
    this.#database.prepare('insert or replace into history (session, line, source, output) values (?, ?, ?, ?)').run(this.#sessionOf(shell), line, source, output)
  }

  /** Answers a `history_request` (Jupyter messaging, "History") that came to a shell, the main one by default. */
  answer(request: Record<string, unknown>, shell: number = 0): Entry[] {
    const own = this.#sessionOf(shell)
    const number = (name: string, standard: number) => typeof request[name] === 'number' ? request[name] as number : standard
    const n = number('n', -1)
    if (request.hist_access_type === 'range') {
      const asked = number('session', 0), session = asked > 0 ? asked : own + asked
      const stop = number('stop', Number.MAX_SAFE_INTEGER)
      return this.#rows('where session = ? and line >= ? and line < ? order by line', [session, number('start', 0), stop], request)
    }
    if (request.hist_access_type === 'search') {
      const newest = request.unique ? 'and rowid in (select max(rowid) from history group by source)' : ''
      const pattern = typeof request.pattern === 'string' ? request.pattern : '*'
      return this.#rows(`where source glob ? ${newest} order by session desc, line desc limit ?`, [pattern, n], request).reverse()
    }
    // What ran in the shell that asks is the newest to it.
    return this.#rows('order by session = ? desc, session desc, line desc limit ?', [own, n], request).reverse()
  }

  close(): void {
    this.#database.close()
  }

  #sessionOf(shell: number): number {
    let session = this.#sessions.get(shell)
    if (session === undefined) this.#sessions.set(shell, session = Number(this.#database.prepare('insert into sessions default values').run().lastInsertRowid))
    return session
  }

  #rows(clause: string, values: (string | number)[], { output }: Record<string, unknown>): Entry[] {
    const rows = this.#database.prepare(`select session, line, source, output from history ${clause}`).all(...values) as unknown as Row[]
    return rows.map(row => [row.session, row.line, output ? [row.source, row.output] : row.source])
  }
}

function open(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    return prepare(new DatabaseSync(path))
  } catch {
    return prepare(new DatabaseSync(':memory:'))
  }
}

function prepare(database: DatabaseSync): DatabaseSync {
  database.exec(`pragma busy_timeout = 1000; pragma journal_mode = wal; pragma synchronous = off;
    create table if not exists sessions (session integer primary key);
    create table if not exists history (session integer, line integer, source text, output text, primary key (session, line))`)
  return database
}
