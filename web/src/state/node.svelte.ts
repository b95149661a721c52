/** One placed component as the page knows it: its properties, and its value among them. */
import type { Json, NodeInfo, Props } from '../wire/types';

export class NodeState {
  readonly id: number;
  readonly type: string;
  ports: ReadonlySet<string>;
  /** Replaced as a whole, never changed in place: values may be large. */
  props: Props = $state.raw({});
  /** Counts what the server wrote, so that a component can tell it from the user's own deeds. */
  writes = $state(0);
  /** Counts the values among them, and the tabs that were selected. */
  given = $state(0);
  /** Counts how often the server asked for the recording to end. */
  stops = $state(0);
  /** Where the app puts the play head, in seconds, until a player has taken it there. */
  place: number | null = $state(null);
  /** Whether the app wants the recorder to run, until it does or does not. */
  record: boolean | null = $state(null);
  /** Whether the user moved the value since it was told. */
  moved = false;
  /** Where the server believes the play head to be. */
  told = 0;

  constructor(info: NodeInfo) {
    this.id = info.id;
    this.type = info.type;
    this.ports = new Set(info.ports);
    this.props = info.props;
    this.put(info.props);
  }

  /** What is a deed rather than a state: said twice, it is done twice. */
  private put({ playback_position: seconds, recording }: Props): void {
    if (typeof seconds === 'number') this.place = this.told = seconds;
    if (typeof recording === 'boolean') this.record = recording;
  }

  /** The same node in a part that was made anew. Its value stays: what the user typed meanwhile is newer. */
  again(info: NodeInfo): void {
    this.ports = new Set(info.ports);
    this.props = 'value' in this.props ? { ...info.props, value: this.value } : info.props;
  }

  /**
   * The same node once more, as the server has it: this page missed too much to be told step by step. What its user
   * did to it stays, and a deed is done only if it is another one. newer: its user's value is ahead of the server's.
   */
  stands(info: NodeInfo, newer: boolean): void {
    const { playback_position: place, recording } = this.props;
    this.ports = new Set(info.ports);
    this.props = newer ? { ...info.props, value: this.value } : info.props;
    this.writes += 1;
    const { playback_position: asked, recording: wanted } = info.props;
    if (typeof asked === 'number' && asked !== place && asked !== this.told) this.put({ playback_position: asked });
    if (wanted !== recording) this.put({ recording: wanted ?? null });
  }

  get value(): Json {
    return this.props.value ?? null;
  }

  /** The user's own value, ahead of the server. */
  own(value: Json): void {
    this.moved ||= JSON.stringify(value) !== JSON.stringify(this.value);
    this.props = { ...this.props, value };
  }

  /** What the server wrote. */
  patch(props: Props): void {
    this.props = { ...this.props, ...props };
    this.writes += 1;
    this.put(props);
    if ('value' in props || 'selected' in props) this.given += 1;
  }
}
