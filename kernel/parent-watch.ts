/**
 * Calls back once when the process that started the kernel has gone, so that no kernel outlives its server. Jupyter names that process in
 * JPY_PARENT_PID; without it the kernel was started by hand, and stays.
 *
 * @returns what ends the watch
 */
export function watchParent(gone: () => void, every: number = 1000): () => void {
  const parent = Number(process.env.JPY_PARENT_PID), first = process.ppid
  if (!parent) return () => {}
  const timer = setInterval(() => {
    if (process.ppid === first && isAlive(parent)) return
    clearInterval(timer)
    gone()
  }, every)
  timer.unref()
  return () => clearInterval(timer)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
