/** A microphone as a stream of exact samples; subscribing opens it, unsubscribing lets it go. */
import { Observable } from 'rxjs';
import { acquire, release as giveBack, watch, type Clock } from '../live/contexts';
import type { CaptureOptions } from '../live/messages';
import { strings } from '../strings';
import captureUrl from '../worklets/capture.worklet.ts?worker&url';

export interface MicrophoneOptions {
  /** The device asked for, by its id; what is gone gives way to the browser's choice. */
  deviceId: string | null;
  /** A part of a device's name, for when no id is known. */
  deviceName: string | null;
  /** Hertz; null is the device's own rate, at which nothing is resampled. */
  rate: number | null;
  /** True: the sound as the device gives it, without the browser's own processing for calls. */
  raw: boolean;
  /** Seconds after which it stops by itself, at the exact sample. */
  maxSeconds: number | null;
  /** Sound goes out while it is recorded: of this node, in frames of so many milliseconds. */
  live: { node: number; frameMs: number } | null;
}

export interface Controls {
  /** For live sound: recording begins, and its frames go to this port. */
  begin(wire: MessagePort): void;
  pause(): void;
  resume(): void;
  stop(): void;
  /** Goes on with another device. Rejects with a MicrophoneError and keeps the old one if that cannot be opened. */
  change(deviceId: string): Promise<void>;
}

export type MicrophoneEvent =
  /** What is waited for before it opens: an answer of the person, or the device. */
  | { kind: 'wait'; on: 'person' | 'device' }
  | { kind: 'open'; rate: number; deviceId: string; devices: MediaDeviceInfo[]; controls: Controls }
  | { kind: 'devices'; deviceId: string; devices: MediaDeviceInfo[] }
  /** The page stood still for so many seconds, in which nothing was heard. */
  | { kind: 'slept'; seconds: number }
  | { kind: 'chunk'; channels: Float32Array[] }
  | { kind: 'ended'; why: 'stop' | 'limit' | 'lost' };

/** Why there is no sound, in words for the person who waits for it. */
export class MicrophoneError extends Error {}

/** As many channels as are kept. */
const CHANNELS = 2;

/** Whether the browser gives this page a microphone at all: not over http from another machine. */
export function mayRecord(): boolean {
  // Missing there, whatever the types say.
  const media = navigator.mediaDevices as MediaDevices | undefined;
  return window.isSecureContext && typeof media?.getUserMedia === 'function';
}

/** What browsers call it where the device that was asked for is not there. */
const GONE = new Set(['OverconstrainedError', 'NotFoundError']);

/** exact: another device than that one is none. */
async function ask(deviceId: string | null, raw: boolean, exact = false): Promise<MediaStream> {
  if (!mayRecord()) throw new MicrophoneError(strings.insecure);
  const audio: MediaTrackConstraints = {
    channelCount: { ideal: CHANNELS },
    echoCancellation: !raw,
    noiseSuppression: !raw,
    autoGainControl: !raw,
  };
  // Exactly, and where it is gone without: what is only wished for, Chromium may pass over.
  if (deviceId) audio.deviceId = { exact: deviceId };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    if (deviceId && !exact && error instanceof DOMException && GONE.has(error.name)) return ask(null, raw);
    throw new MicrophoneError(words(error));
  }
}

function words(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' && /system/i.test(String(error))) return strings.deniedBySystem;
  if (name === 'NotAllowedError' || name === 'SecurityError') return strings.denied;
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return strings.noMicrophone;
  if (name === 'NotReadableError' || name === 'AbortError') return strings.micBusy;
  return strings.micFailed(error instanceof Error ? error.message : String(error));
}

/** Whether the person has said yes before. A browser that does not tell will ask. */
async function granted(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' as PermissionName })).state === 'granted';
  } catch {
    return false;
  }
}

/** Milliseconds after which a context that does not begin never will. */
const BEGINS = 3000;

/** Firefox begins no context where there is nothing to play to, and never says so. */
function begun(context: AudioContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = setTimeout(() => reject(new MicrophoneError(strings.noOutput)), BEGINS);
    context.resume().then(resolve, reject).finally(() => clearTimeout(over));
  });
}

async function inputs(): Promise<MediaDeviceInfo[]> {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((d) => d.kind === 'audioinput' && d.deviceId !== '');
}

/** The id of the device with this in its name, unless it is the one that is open already. */
async function named(part: string | null): Promise<string | null> {
  if (!part) return null;
  const found = (await inputs()).find((d) => d.label.toLowerCase().includes(part.toLowerCase()));
  return found?.deviceId ?? null;
}

export function microphone(options: MicrophoneOptions): Observable<MicrophoneEvent> {
  return new Observable<MicrophoneEvent>((out) => {
    let stream: MediaStream | null = null;
    let context: AudioContext | null = null;
    let clock: Clock | null = null; // shared, for live sound
    let source: MediaStreamAudioSourceNode | null = null;
    let unwatch = () => undefined as void;
    const release = () => {
      unwatch();
      navigator.mediaDevices?.removeEventListener('devicechange', relist);
      stream?.getTracks().forEach((track) => track.stop());
      source?.disconnect();
      if (clock) giveBack(clock);
      else void context?.close();
      stream = context = clock = source = null;
    };

    let chosen = '';
    const relist = () => {
      void inputs().then((devices) => out.next({ kind: 'devices', deviceId: chosen, devices }));
    };

    const listen = (track: MediaStreamTrack, node: AudioWorkletNode) => {
      track.onended = () => {
        out.next({ kind: 'ended', why: 'lost' });
        node.port.postMessage('stop');
      };
    };

    const open = async () => {
      out.next({ kind: 'wait', on: (await granted()) ? 'device' : 'person' });
      if (out.closed) return;
      stream = await ask(options.deviceId, options.raw);
      const wanted = options.deviceId === null ? await named(options.deviceName) : null;
      if (wanted !== null && !out.closed) {
        // Names are known only after the first permission: so the right one is opened second.
        stream.getTracks().forEach((track) => track.stop());
        stream = await ask(wanted, options.raw);
      }
      const opened = stream;
      if (out.closed) {
        opened.getTracks().forEach((track) => track.stop());
        return;
      }
      out.next({ kind: 'wait', on: 'device' });
      const track = opened.getAudioTracks()[0];
      if (!track) throw new MicrophoneError(strings.noMicrophone);
      const settings = track.getSettings();
      const sampleRateWanted = options.rate ?? settings.sampleRate;
      if (options.live) clock = acquire(sampleRateWanted ?? null);
      context = clock?.context ?? new AudioContext(sampleRateWanted ? { sampleRate: sampleRateWanted } : {});
      await context.audioWorklet.addModule(captureUrl);
      const devices = await inputs();
      if (out.closed || !context) return;
      const { sampleRate } = context;
      const processorOptions: CaptureOptions = {
        channels: CHANNELS,
        limit: options.maxSeconds === null ? 0 : Math.round(options.maxSeconds * sampleRate),
        live:
          options.live && clock
            ? { node: options.live.node, frameMs: options.live.frameMs, origin: clock.origin }
            : null,
      };
      const node = new AudioWorkletNode(context, 'ossicle-capture', {
        numberOfInputs: 1,
        numberOfOutputs: 1, // silent; some browsers run only what leads to the speakers
        channelCount: CHANNELS,
        channelCountMode: 'explicit',
        processorOptions,
      });
      node.port.onmessage = ({ data }: MessageEvent<{ channels: Float32Array[] } | { ended: 'stop' | 'limit' }>) => {
        if ('channels' in data) {
          out.next({ kind: 'chunk', channels: data.channels });
          return;
        }
        out.next({ kind: 'ended', why: data.ended });
        node.disconnect();
        out.complete();
      };
      node.connect(context.destination);
      source = context.createMediaStreamSource(opened);
      source.connect(node);
      listen(track, node);
      await begun(context);
      if (out.closed || !context) return;
      unwatch = watch(context, (seconds) => {
        node.port.postMessage({ slept: seconds });
        out.next({ kind: 'slept', seconds });
      });
      chosen = settings.deviceId ?? '';
      navigator.mediaDevices.addEventListener('devicechange', relist);
      out.next({
        kind: 'open',
        rate: sampleRate,
        deviceId: settings.deviceId ?? '',
        devices,
        controls: {
          begin: (wire) => node.port.postMessage({ wire }, [wire]),
          pause: () => node.port.postMessage('pause'),
          resume: () => node.port.postMessage('resume'),
          stop: () => node.port.postMessage('stop'),
          change: async (deviceId) => {
            const next = await ask(deviceId, options.raw, true);
            const nextTrack = next.getAudioTracks()[0];
            if (!context || !nextTrack) {
              next.getTracks().forEach((t) => t.stop());
              return;
            }
            const nextSource = context.createMediaStreamSource(next);
            source?.disconnect();
            stream?.getTracks().forEach((t) => t.stop());
            nextSource.connect(node);
            source = nextSource;
            stream = next;
            listen(nextTrack, node);
            chosen = deviceId;
            out.next({ kind: 'devices', deviceId, devices: await inputs() });
          },
        },
      });
    };

    open().catch((error: unknown) => {
      release();
      out.error(error instanceof MicrophoneError ? error : new MicrophoneError(words(error)));
    });
    return release;
  });
}
