// A server that is busy says after how many seconds it takes the same again. That is asked for a
// little later, so that not all come at once.

const BUSY = [429, 503];

export function delayMs(seconds) {
  return Number(seconds) * (1000 + 500 * Math.random());
}

// How long to wait after an answer; 0: it is not that the server is busy, or it does not say.
export function waitMs(status, retryAfter) {
  return BUSY.includes(status) && Number(retryAfter) > 0 ? delayMs(retryAfter) : 0;
}
