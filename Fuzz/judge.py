"""For the differential target: what Implementations/python and cbor2 make of the same bytes.

Reads batches: a count and a length in 4 bytes each, then so many inputs, each with its kind (0 an item, 1 a payload, 2 JSON), what
the library says (0 refused, 1 accepted, 2 unknown dictionary), and two byte strings behind their lengths in 4 bytes: the input, and
of an accepted item its JSON view, of an accepted payload created, age, own lifetime and own idle time (4 bytes each, none: 0), the flags 0x10 and 0x20, and the item, of
JSON the item. Answers a byte each: 1 where all agree. Words on what does not agree go to the standard error.

- The strict reader takes what the library takes, and nothing else, as the same value.
- cbor2, which knows nothing of the profile, must decode what the library accepts, to an equal value. Not the other way: it takes
  other tags, unsorted keys, longer forms and more levels. Tags 1, 4, 24, 32, 37 and 1001 are compared by their contents, since its
  datetime, Decimal and UUID hold less than the items do.
- Its canonical encoder must write the same bytes, but for two things that are RFC 7049's: keys by length first, and one NaN.
- JSON is the same value to both, or a value to none. Not where Python's parser finds no JSON at all: Foundation's takes some texts that
  RFC 8259 does not, such as a comma behind the last member.
- The JSON view reads back, by another reader, to the same item.
"""
import faulthandler
import json
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Implementations" / "python"))
import sealed_cookie as sc  # noqa: E402

try:
    import cbor2
except ImportError:
    cbor2 = None
    print("judge.py: no cbor2, so the strict reader judges alone", file=sys.stderr)

OWN = b"\x65owner\x67members\x69own wordspown words, again"      # the application's dictionary of the targets
TAGS = {} if cbor2 is None else {n: lambda content, _, n=n: cbor2.CBORTag(n, content) for n in (1, 4, 24, 32, 37, 1001)}


def load(data: bytes):
    return cbor2.loads(data, semantic_decoders=TAGS, allow_indefinite=False, allow_duplicate_keys=False)


def same(theirs, item) -> bool:
    """Whether cbor2's value is the strict reader's."""
    if isinstance(item, sc.Float):
        return type(theirs) is float and (theirs != theirs if item.is_nan else sc.Float.of(theirs) == item)
    if isinstance(item, sc.Tag):
        return type(theirs) is cbor2.CBORTag and theirs.tag == item.number and same(load(theirs.value) if item.number == 24 else theirs.value, item.content)
    if isinstance(item, list):
        return isinstance(theirs, (list, tuple)) and len(theirs) == len(item) and all(map(same, theirs, item))
    if isinstance(item, dict):
        return isinstance(theirs, Mapping) and list(theirs) == list(item) and all(same(theirs[k], v) for k, v in item.items())
    return type(theirs) is type(item) and theirs == item


def canonical(item) -> bool:
    """Whether RFC 7049's canonical form of the item is RFC 8949's."""
    if isinstance(item, sc.Float):
        return not item.is_nan or item.bits == 0x7FF8 << 48
    if isinstance(item, list):
        return all(map(canonical, item))
    if isinstance(item, dict):
        keys = [sc.encode_item(k) for k in item]
        return keys == sorted(keys, key=lambda k: (len(k), k)) and all(map(canonical, item.values()))
    return item.number == 24 or canonical(item.content) if isinstance(item, sc.Tag) else True


def fault_of_item(data: bytes, accepted: int, view: bytes) -> str:
    try:
        item = sc.decode_item(data)
    except sc.Invalid as error:
        return f"the strict reader refuses it: {error}" if accepted else ""
    if not accepted:
        return "the strict reader takes it"
    if sc.encode_item(sc.from_json(view.decode())) != data:
        return f"the JSON view is another value's: {view.decode()}"
    if cbor2 is not None:
        theirs = load(data)
        if not same(theirs, item):
            return f"cbor2 reads {theirs!r}"
        if canonical(item) and cbor2.dumps(theirs, canonical=True) != data:
            return f"cbor2 writes {cbor2.dumps(theirs, canonical=True).hex()}"
    return ""


def fault_of_payload(data: bytes, said: int, contents: bytes) -> str:
    try:
        payload = sc.decode_payload(data, [OWN])
    except sc.UnknownDictionary as error:
        return "" if said == 2 else f"the strict reader: {error}"
    except sc.Invalid as error:
        return "" if said == 0 else f"the strict reader refuses it: {error}"
    fields = b"".join(n.to_bytes(4, "big") for n in (payload.created, payload.age, *(payload.own or (0, 0)))) + bytes([payload.marks]) + payload.item
    return "" if said == 1 and fields == contents else f"the strict reader takes it: {fields.hex()}"


def fault_of_json(data: bytes, said: int, item: bytes) -> str:
    try:
        theirs = sc.encode_item(sc.from_json(data.decode()))
    except json.JSONDecodeError:
        return ""
    except ValueError as error:
        return f"the other reader refuses it: {error}" if said else ""
    return "" if said and theirs == item else f"the other reader takes it for {theirs.hex()}"


def main() -> None:
    faulthandler.enable()
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        batch, place = source.read(int.from_bytes(head[4:], "big")), 0

        def string() -> bytes:
            nonlocal place
            start = place + 4
            place = start + int.from_bytes(batch[place:start], "big")
            return batch[start:place]
        for _ in range(int.from_bytes(head[:4], "big")):
            kind, said = batch[place:place + 2]
            place += 2
            data, contents = string(), string()
            try:
                fault = (fault_of_item, fault_of_payload, fault_of_json)[kind](data, said, contents)
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            if fault:
                print(f"{('item', 'payload', 'JSON')[kind]} {data if kind == 2 else data.hex()}, {('refused', 'accepted', 'unknown dictionary')[said]}; {fault}", file=sys.stderr, flush=True)
            answers.write(b"\0" if fault else b"\1")
        answers.flush()


if __name__ == "__main__":
    main()
