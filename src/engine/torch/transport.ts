/** The byte stream to a PyTorch process, whatever started it. */
export interface Transport {
  /** Writes the pieces one after another. */
  send(pieces: readonly Uint8Array[]): void;
  /** Called once, before anything is sent: what to do with bytes, and when the process is gone. */
  listen(onData: (bytes: Uint8Array) => void, onEnd: (end: TransportEnd) => void): void;
  /** Whether an answer is awaited: only then does the process keep the program alive. */
  hold(waiting: boolean): void;
  /** Ends the process and resolves when it has ended. */
  close(): Promise<void>;
}

export interface TransportEnd {
  /** How it ended, for a message: "ended with code 1", "could not be started: …". */
  readonly how: string;
  /** Its last lines on stderr. */
  readonly stderr: readonly string[];
}
