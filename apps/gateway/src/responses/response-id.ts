/** A turn's id as that of a response: a response is found by its turn. */
export function responseId(turn: string): string {
  return `resp_${plainTurn(turn)}`;
}

/** Id of an item of a turn's response. */
export function itemId(kind: "msg" | "rs" | "fc", turn: string, index: number): string {
  return `${kind}_${plainTurn(turn)}_${index}`;
}

const ID = /^(?:resp|msg|rs|fc)_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})(?:_\d+)?$/;

/** The turn whose response, or an item of it, has this id; undefined: none has. */
export function turnOf(id: string): string | undefined {
  return ID.exec(id)?.slice(1).join("-");
}

function plainTurn(turn: string): string {
  return turn.replaceAll("-", "");
}
