/** A request of the Debug Adapter Protocol, as `debug_request` carries it. */
export interface DapRequest {
  seq: number
  type: 'request'
  command: string
  arguments?: Arguments
}

/** The arguments of a request. They come from outside: whoever takes one checks it. */
export type Arguments = Record<string, unknown>

/** The answer to a request, as `debug_reply` carries it. */
export interface DapResponse {
  seq: number
  type: 'response'
  request_seq: number
  success: boolean
  command: string
  message?: string
  body?: object
}

/** What happened, as `debug_event` carries it. */
export interface DapEvent {
  seq: number
  type: 'event'
  event: string
  body: object
}

/** A breakpoint as it is asked for; lines count from 1. */
export interface SourceBreakpoint {
  line: number
  condition?: string
  hitCondition?: string
  logMessage?: string
}

/** A breakpoint as it was set. */
export interface Breakpoint {
  id: number
  verified: boolean
  line: number
  source: { path: string }
  /** Why it is not verified. */
  message?: string
}

/** What the debugger's thread sends: the answer to a numbered request, or an event. */
export type FromThread = { debug: number, body?: object, error?: string } | { event: string, body: object }

/** The one thread that is debugged: the notebook's. */
export const threadId = 1

/** What the debugger can do (DAP, "Capabilities"). */
export const capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  supportsExceptionInfoRequest: true,
  supportsModulesRequest: true,
  supportsSetVariable: true,
  exceptionBreakpointFilters: [
    { filter: 'uncaught', label: 'Uncaught Exceptions', description: 'Stops where an error is thrown that no code of yours catches' },
    { filter: 'raised', label: 'Raised Exceptions', description: 'Stops where your code throws, caught or not' },
  ],
}
