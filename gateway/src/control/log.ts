/** Says something to whoever runs the gateway: one line of text, without secrets. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;
