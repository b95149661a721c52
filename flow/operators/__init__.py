"""Operators: streams of sound to streams of sound, or to what is measured in them.

All at once, because a module and its function share a name: whoever imports `gain` from here must
get the function, whatever was imported before. They load reactivex and numpy, nothing heavier.
"""

from __future__ import annotations

from .align import align as align
from .chain import chain as chain
from .chorus import chorus as chorus
from .compressor import compressor as compressor
from .crossfade import crossfade as crossfade
from .declick import declick as declick
from .delay import delay as delay
from .denoise import denoise as denoise
from .filter import bandpass as bandpass
from .filter import eq as eq
from .filter import filter as filter
from .filter import high_shelf as high_shelf
from .filter import highpass as highpass
from .filter import low_shelf as low_shelf
from .filter import lowpass as lowpass
from .filter import notch as notch
from .filter import peak as peak
from .frame import frame as frame
from .gain import gain as gain
from .gate import gate as gate
from .latency import BudgetError as BudgetError
from .latency import budget as budget
from .latency import latency_of as latency_of
from .level import Level as Level
from .level import level as level
from .limiter import limiter as limiter
from .loudness import Loudness as Loudness
from .loudness import loudness as loudness
from .mel import Mel as Mel
from .mel import mel as mel
from .merge import merge as merge
from .mix import mix as mix
from .mono import mono as mono
from .needs import MissingExtra as MissingExtra
from .onset import Onset as Onset
from .onset import onset as onset
from .operator import BlockOperator as BlockOperator
from .operator import Operator as Operator
from .overlap_add import overlap_add as overlap_add
from .overlay import overlay as overlay
from .pan import pan as pan
from .param import Param as Param
from .pause import pause as pause
from .pedalboard import pedalboard as pedalboard
from .pitch import pitch as pitch
from .pitch_track import Pitch as Pitch
from .pitch_track import pitch_track as pitch_track
from .record import record as record
from .resample import resample as resample
from .reverb import reverb as reverb
from .spectrogram import Spectrogram as Spectrogram
from .spectrogram import spectrogram as spectrogram
from .spectrum import Spectrum as Spectrum
from .spectrum import spectrum as spectrum
from .split import channel as channel
from .split import split as split
from .switch import Choice as Choice
from .switch import switch as switch
from .tee import tee as tee
from .tempo import tempo as tempo
from .vad import Voice as Voice
from .vad import vad as vad
from .window import window as window

# for `from … import *`, which would else bring the names of files too
__all__ = [
    "align",
    "bandpass",
    "BlockOperator",
    "budget",
    "BudgetError",
    "chain",
    "channel",
    "Choice",
    "chorus",
    "compressor",
    "crossfade",
    "declick",
    "delay",
    "denoise",
    "eq",
    "filter",
    "frame",
    "gain",
    "gate",
    "high_shelf",
    "highpass",
    "latency_of",
    "Level",
    "level",
    "limiter",
    "Loudness",
    "loudness",
    "low_shelf",
    "lowpass",
    "Mel",
    "mel",
    "merge",
    "MissingExtra",
    "mix",
    "mono",
    "notch",
    "Onset",
    "onset",
    "Operator",
    "overlap_add",
    "overlay",
    "pan",
    "Param",
    "pause",
    "peak",
    "pedalboard",
    "Pitch",
    "pitch",
    "pitch_track",
    "record",
    "resample",
    "reverb",
    "Spectrogram",
    "spectrogram",
    "Spectrum",
    "spectrum",
    "split",
    "switch",
    "tee",
    "tempo",
    "vad",
    "Voice",
    "window",
]
