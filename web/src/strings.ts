/**
 * Every English word of the page, in one place.
 *
 * An app may give another table (`Blocks(strings=...)`), where `{1}` stands for the first argument of what is a function
 * here, and `|` parts the forms that a count asks for: "{1} Zeile|{1} Zeilen".
 */

const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);

export const strings = {
  // connection
  connecting: 'Connecting…',
  loading: 'Loading the page…',
  lost: 'Connection lost.',
  lostRunning: (names: string[]) =>
    names.length === 1
      ? `Connection lost. “${names[0]}” goes on at the server; what it gives comes back with the connection.`
      : `Connection lost. ${names.length} calls go on at the server; what they give comes back with the connection.`,
  lostIdle: 'Connection lost. What you do here is kept, and sent when it is back.',
  retryIn: (seconds: number) => `Next try in ${seconds} s.`,
  trying: 'Trying…',
  tryNow: 'Try now',
  gone: 'This session is over: the app was restarted, or you were away for long. What is on the page can still be read and saved.',
  goneLost: (n: number) =>
    n === 1 ? 'The last thing you did never came there.' : `The last ${n} things you did never came there.`,
  reload: 'Start again',
  fullTitle: 'Not kept',
  full: 'Too much was done without a connection. From here on nothing is kept until it is back.',
  puzzled: 'The app sent something this page does not understand. Reloading may help.',
  refusedTitle: 'Not accepted',

  // runs
  next: 'Next in line',
  rank: (rank: number, size: number) => `${rank} of ${size} in line`,
  waiting: 'Waiting in line',
  eta: (time: string) => `about ${time}`,
  running: 'Running',
  cancel: 'Cancel',
  cancelRun: (name: string) => (name ? `Cancel ${name}` : 'Cancel'),
  cancelling: 'Stopping…',
  stopped: 'Stopped',
  others: (n: number) => `and ${n} more`,
  error: 'Error',
  errorHidden: 'The app failed here. Try again; if it happens again, tell the person who runs it.',
  rejected: 'The line is full.',
  dismiss: 'Dismiss',
  close: 'Close',
  skip: 'Skip to the content',
  messages: 'Messages',

  // uploads
  jsFailed: (what: string, why: string) => `${what}: its JavaScript failed: ${why}`,
  uploadFailed: (status: number) => `The server did not take the file (${status}).`,
  uploadLost: 'The file did not arrive: the connection was lost. Try again.',
  uploading: (name: string) => `Sending ${name}`,
  drawing: (name: string) => `Drawing ${name}`,
  drawn: (percent: number) => `Drawing… ${percent} %`,
  tooLarge: (size: string, limit: string) => `This file has ${size}; at most ${limit} is accepted.`,
  notAudio: (name: string) => `${name} is not a sound file.`,
  oneFile: 'One file at a time, please.',
  noSession: 'Not connected yet. Try again in a moment.',

  // audio
  noSound: 'No sound yet',
  drop: 'Drop a sound here',
  dropNow: 'Let go to use this sound',
  choose: 'Choose a file',
  paste: 'or paste one',
  record: 'Record',
  upTo: (what: string) => `up to ${what}`,
  atLeast: (what: string) => `at least ${what}`,
  download: 'Download',
  share: 'Share',
  shared: 'Link copied',
  shareFailed: 'Sharing did not work here. Use Download instead.',
  clear: 'Clear',
  play: 'Play',
  pause: 'Pause',
  back: (seconds: number) => `Back ${seconds} s`,
  forward: (seconds: number) => `Forward ${seconds} s`,
  speed: 'Speed',
  volume: 'Volume',
  mute: 'Mute',
  unmute: 'Unmute',
  loop: 'Loop',
  position: 'Position',
  positionText: (now: string, all: string) => `${now} of ${all}`,
  selection: (from: string, to: string) => `${from} – ${to}`,
  playSelection: 'Play selection',
  trim: 'Trim',
  trimming: 'Trimming…',
  undo: 'Undo trim',
  deselect: 'Drop selection',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  waveHelp:
    'Space plays, arrows move, Shift and arrows select, Enter trims to the selection, Escape drops it, plus and minus zoom.',
  clipped: (n: number) => `${n} ${plural(n, 'sample', 'samples')} clipped`,
  mono: 'mono',
  stereo: 'stereo',
  channels: (n: number) => `${n} channels`,
  unplayable: 'This browser cannot play the sound. It can be downloaded.',
  unreachable: 'The sound did not come: the server does not answer. Play tries again.',
  clickToPlay: 'The browser waits for a click before it plays.',

  // live sound
  liveState: { good: 'Live', fair: 'Live, unsteady', bad: 'Live, disturbed' },
  liveHelp: 'Show the figures of this stream',
  liveLatency: 'Microphone to speaker',
  liveBudget: 'At most wanted',
  liveSpread: (middle: string, late: string) => `${middle} · 95 % below ${late}`,
  liveTrip: 'To the server and back',
  liveWaiting: 'Waits for the line',
  liveDropped: 'Left out on the way',
  liveMissed: 'Left out by the app',
  liveSkipped: 'Left out here',
  liveUnderruns: 'Ran dry',
  liveBuffer: 'Waiting / wanted',
  liveReconnects: 'Reconnected',
  liveOperator: (name: string) => `Operator ${name}`,
  liveCost: (load: string, held: string) => `${load} of real time · holds ${held}`,
  liveTooLate: (cost: string, late: string) => `${cost} · ${late} came too late to mix`,
  liveFunction: (name: string) => `Function ${name}`,
  liveCalls: (load: string, waiting: number, dropped: number) => `${load} · ${waiting} waiting · ${dropped} dropped`,
  liveClipped: 'Cut at full scale',
  liveClippedCount: (n: number) => `${n} ${plural(n, 'sample', 'samples')}`,
  liveFaults: 'Left out by errors',
  liveFaultCount: (n: number) => `${n} ${plural(n, 'block', 'blocks')}`,
  ms: (n: number) => `${n} ms`,
  short: (n: number) => `ran dry ${n}×`,
  starting: 'Starting…',
  starving: 'Waiting for more sound…',
  storing: 'Storing the recording…',

  // recorder
  recording: 'Recording',
  paused: 'Paused',
  askPermission: 'The browser asks whether it may use the microphone…',
  opening: 'Opening the microphone…',
  noOutput:
    'The browser does not begin: it records only where there is something to play to. Connect speakers or headphones, then press Record again.',
  deniedBySystem:
    'The system does not let this browser use the microphone. Allow it in the system’s privacy settings, then press Record again.',
  denied:
    'The browser does not let this page use the microphone. Allow it in the address bar, then press Record again.',
  noMicrophone: 'No microphone was found. Connect one, then press Record again.',
  micBusy: 'The microphone is in use by another program. Close that, then press Record again.',
  micLost: 'The microphone went away. What was heard until then is kept.',
  slept: (seconds: string) => `The page slept: ${seconds} s were not heard.`,
  takeGone: 'The recording ended with the session. The app has lost it; it is still here.',
  takeGonePart: (all: string, kept: string) =>
    `The recording ended with the session. The app has lost its ${all} s; the last ${kept} s are still here.`,
  takeUnread: (why: string) => `The browser could not put the recording together: ${why}`,
  recorderGoneTitle: 'Recording ended',
  recorderGone: (seconds: string) => `A recording of ${seconds} s ended: the app took its component away.`,
  soundLost: (seconds: string) => `The connection was away for too long: ${seconds} s were lost.`,
  insecure: 'Recording needs https: a browser gives the microphone to https pages and to localhost only.',
  insecureWay: (how: string) => `If you run this app, start it with ${how}.`,
  insecureFiles: 'Files work as they are.',
  micFailed: (why: string) => `The microphone could not be opened: ${why}`,
  device: 'Microphone',
  resume: 'Go on',
  stop: 'Stop',
  stopAfter: (s: string) => `Stop is possible after ${s}`,
  discard: 'Discard',
  level: 'Level',
  levelText: (db: string) => `${db} dBFS`,
  silence: 'Nothing is heard. Is this the right microphone, and is it switched on?',
  tooLoud: (n: number) => `Too loud: ${n} ${plural(n, 'sample', 'samples')} clipped. Turn it down or move away.`,
  keepTake: 'Save the take',
  sendAgain: 'Send again',
  takeName: 'recording.wav',

  // other components
  unknown: (type: string) => `This page has no component of the type “${type}”.`,
  broken: (type: string) => `The component “${type}” could not be shown.`,
  none: 'None',
  unnamed: 'Field without a name',
  remove: (name: string) => `Remove ${name}`,
  choosePlaceholder: 'Choose',
  noMatch: 'Nothing fits',
  addCustom: (value: string) => `Use “${value}”`,
  invalidNumber: 'Not a number',
  outOfRange: (low: string, high: string) => `Between ${low} and ${high}`,
  reset: 'Reset',
  nothingYet: 'Nothing yet',
  chooseFile: 'Choose a file',
  chooseFolder: 'Choose a folder',
  tooMany: (count: number, most: number) => `${count} files are too many; at most ${most} are taken.`,
  chooseFiles: 'Choose files',
  chooseImage: 'Choose an image',
  pointHelp: 'Arrows point, with Shift by single pixels; Enter chooses the place.',
  pointAt: (x: number, y: number) => `${x}, ${y}`,
  pasteHere: 'Paste one here',
  camera: 'What the camera sees',
  openCamera: 'Camera',
  takePicture: 'Take the picture',
  askCamera: 'The browser asks whether it may use the camera…',
  cameraDenied: 'The browser does not let this page use the camera. Allow it in the address bar, then try again.',
  noCamera: 'No camera was found. Connect one, then try again.',
  cameraBusy: 'The camera is in use by another program. Close that, then try again.',
  cameraFailed: (why: string) => `The camera could not be opened: ${why}`,
  insecureCamera: 'A browser gives the camera to https pages and to localhost only.',
  dropFile: 'Drop a file here',
  rows: (n: number) => `${n} ${plural(n, 'row', 'rows')}`,
  firstRows: (n: number, all: number) => `The first ${n} of ${all} rows`,
  examples: 'Examples',
  earlier: 'Back',
  later: 'Next',
  pageOf: (page: number, pages: number) => `${page} of ${pages}`,
  openSidebar: 'Open sidebar',
  closeSidebar: 'Close sidebar',
  copy: 'Copy',
  copied: 'Copied',
  submit: 'Submit',
  showPassword: 'Show',
  hidePassword: 'Hide',
};

const english: Record<string, unknown> = { ...strings, liveState: { ...strings.liveState } };

/** Put another table's words in place; what it leaves out stays English. Gives the names that are none of ours. */
export function translate(table: Record<string, string>, lang: string): string[] {
  const words = strings as unknown as Record<string, unknown>;
  Object.assign(words, english, { liveState: { ...(english.liveState as object) } });
  const rules = new Intl.PluralRules(lang || 'en');
  const unknown: string[] = [];
  for (const [name, said] of Object.entries(table)) {
    const [outer = '', inner] = name.split('.');
    const home = inner === undefined ? words : (words[outer] as Record<string, unknown> | undefined);
    const key = inner ?? outer;
    const now = home?.[key];
    if (!home || (typeof now !== 'string' && typeof now !== 'function')) unknown.push(name);
    else home[key] = typeof now === 'string' ? said : (...given: unknown[]) => filled(said, given, rules);
  }
  return unknown;
}

/** A template with its arguments. Its forms are those of the language, in the order of CLDR: one, few, many, other. */
function filled(template: string, given: unknown[], rules: Intl.PluralRules): string {
  const forms = template.split('|');
  const kinds = ['zero', 'one', 'two', 'few', 'many', 'other'].filter((k) =>
    (rules.resolvedOptions().pluralCategories as string[]).includes(k),
  );
  const count = given.find((each) => typeof each === 'number');
  const kind = typeof count === 'number' ? kinds.indexOf(rules.select(count)) : kinds.length - 1;
  const form = forms[Math.min(kind, forms.length - 1)] ?? template;
  return form.replace(/\{(\d)\}/g, (_, n: string) => {
    const value = given[Number(n) - 1];
    return Array.isArray(value) ? value.join(', ') : String(value ?? '');
  });
}

/** A length of time in words short enough for a chip. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
