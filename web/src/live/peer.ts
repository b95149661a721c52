/**
 * The page's end of a WebRTC connection: a data channel that loses rather than waits, for frames of live sound.
 *
 * A channel cannot go to the socket's worker in every browser, so its frames pass through the page's own thread.
 */

/** Milliseconds for addresses to be found, and for the whole to be open; then sound stays with the socket. */
const GATHER = 1000;
const OPEN = 10_000;
/** Bytes that may wait to be sent; beyond them frames are dropped: they would only be late. */
const CLOGGED = 96_000;

export interface PeerEvents {
  /** To be brought to the server, which gives the answer to `answered`. */
  offer(sdp: string): void;
  /** Frames go in and out here. */
  open(port: MessagePort): void;
  closed(): void;
}

export class Peer {
  private readonly connection: RTCPeerConnection;
  private readonly channel: RTCDataChannel;
  private over = false;

  constructor(
    iceServers: string[],
    private readonly events: PeerEvents,
  ) {
    this.connection = new RTCPeerConnection({ iceServers: iceServers.map((urls) => ({ urls })) });
    // Not ordered: the frames' own index is enough, and what came waits for nothing that was lost before it.
    this.channel = this.connection.createDataChannel('sound', { ordered: false, maxRetransmits: 0 });
    this.channel.binaryType = 'arraybuffer';
    this.channel.onopen = () => this.begin();
    this.channel.onclose = () => this.end();
    this.connection.onconnectionstatechange = () => {
      if (this.connection.connectionState === 'failed') this.end();
    };
    setTimeout(() => {
      if (this.channel.readyState !== 'open') this.end();
    }, OPEN);
    this.offer().catch(() => this.end());
  }

  answered(sdp: string | null): void {
    if (sdp === null) this.end();
    else this.connection.setRemoteDescription({ type: 'answer', sdp }).catch(() => this.end());
  }

  close(): void {
    this.over = true;
    this.channel.onclose = this.channel.onopen = null;
    this.connection.close();
  }

  private async offer(): Promise<void> {
    const { connection } = this;
    await connection.setLocalDescription();
    if (connection.iceGatheringState !== 'complete') {
      await new Promise<void>((done) => {
        connection.addEventListener('icegatheringstatechange', () => {
          if (connection.iceGatheringState === 'complete') done();
        });
        setTimeout(done, GATHER);
      });
    }
    if (!this.over && connection.localDescription) this.events.offer(connection.localDescription.sdp);
  }

  private begin(): void {
    const { port1, port2 } = new MessageChannel();
    this.channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => port1.postMessage(data, [data]);
    port1.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      if (this.channel.readyState === 'open' && this.channel.bufferedAmount < CLOGGED) this.channel.send(data);
    };
    this.events.open(port2);
  }

  private end(): void {
    if (this.over) return;
    this.close();
    this.events.closed();
  }
}
