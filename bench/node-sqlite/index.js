import { DatabaseSync } from "node:sqlite"

/**
 * Stands in for `better-sqlite3`, whose native build would be a download or a compiler at every install: the members that a checkpointer
 * calls, over the same SQLite as Node has it built in.
 */
export default class Database {
  #db

  constructor(path) {
    this.#db = new DatabaseSync(path)
  }

  pragma(text) {
    this.#db.exec(`PRAGMA ${text}`)
  }

  exec(sql) {
    this.#db.exec(sql)
  }

  prepare(sql) {
    const statement = this.#db.prepare(sql)
    const bound = (args) => args.map((value) => value ?? null)
    return {
      get: (...args) => statement.get(...bound(args)),
      all: (...args) => statement.all(...bound(args)),
      run: (...args) => statement.run(...bound(args)),
    }
  }

  transaction(work) {
    return (...args) => {
      this.#db.exec("BEGIN")
      try {
        const result = work(...args)
        this.#db.exec("COMMIT")
        return result
      } catch (error) {
        this.#db.exec("ROLLBACK")
        throw error
      }
    }
  }
}
