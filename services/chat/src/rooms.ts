import { Room } from './room.ts';

export interface RoomsLimits {
  /** Messages kept in each room. */
  readonly maxHistory: number;
  /** Empty rooms keep their history until this many rooms make them give way. */
  readonly maxRooms: number;
}

/**
 * The rooms of this instance only. Instances share nothing, so everybody in a room has to reach the same one:
 * that is the gateway's part, by hash over the room or by a sticky cookie.
 */
export class Rooms {
  readonly #limits: RoomsLimits;
  readonly #rooms = new Map<string, Room>();

  constructor(limits: RoomsLimits) {
    this.#limits = limits;
  }

  /** The room of that name, made when it is missing; undefined when there are too many, all with somebody in. */
  open(name: string): Room | undefined {
    const existing = this.#rooms.get(name);
    if (existing !== undefined) return existing;
    if (this.#rooms.size >= this.#limits.maxRooms && !this.#dropOldestEmpty()) return undefined;
    const room = new Room(name, this.#limits.maxHistory);
    this.#rooms.set(name, room);
    return room;
  }

  list(): { readonly name: string; readonly members: readonly string[]; readonly messages: number }[] {
    return [...this.#rooms.values()].map((room) => ({
      name: room.name,
      members: room.names,
      messages: room.history.length,
    }));
  }

  #dropOldestEmpty(): boolean {
    for (const room of this.#rooms.values()) if (room.size === 0) return this.#rooms.delete(room.name);
    return false;
  }
}
