/** What a member is sent, as JSON text. Times are milliseconds since the epoch. */
export type RoomEvent =
  | { readonly type: 'message'; readonly from: string; readonly text: string; readonly atMs: number }
  | { readonly type: 'joined'; readonly name: string; readonly atMs: number }
  | { readonly type: 'left'; readonly name: string; readonly atMs: number };

export type Message = Extract<RoomEvent, { readonly type: 'message' }>;

export interface Member {
  /** Need not be unique: two tabs of one person are two members. */
  readonly name: string;
  /** Takes one event as JSON text; never throws. */
  readonly send: (text: string) => void;
}

/** The members of one room and its last messages. */
export class Room {
  readonly name: string;
  readonly #maxHistory: number;
  readonly #members = new Set<Member>();
  readonly #history: Message[] = [];

  constructor(name: string, maxHistory: number) {
    this.name = name;
    this.#maxHistory = maxHistory;
  }

  get size(): number {
    return this.#members.size;
  }

  get history(): readonly Message[] {
    return this.#history;
  }

  /** In the order in which they came. */
  get names(): string[] {
    return [...this.#members].map((member) => member.name);
  }

  /** The newcomer itself gets no notice of it. */
  join(member: Member, atMs: number): void {
    this.#tell({ type: 'joined', name: member.name, atMs });
    this.#members.add(member);
  }

  leave(member: Member, atMs: number): void {
    if (this.#members.delete(member)) this.#tell({ type: 'left', name: member.name, atMs });
  }

  /** Everybody gets it, its sender too: that is how the sender knows it was taken. */
  say(from: string, text: string, atMs: number): void {
    const message: Message = { type: 'message', from, text, atMs };
    this.#history.push(message);
    if (this.#history.length > this.#maxHistory) this.#history.shift();
    this.#tell(message);
  }

  #tell(event: RoomEvent): void {
    const text = JSON.stringify(event);
    for (const member of this.#members) member.send(text);
  }
}
