"""Sound as streams of blocks: operators, sources, and the ways to run a chain of them.

    from ossicle import sound

    audio.stream.pipe(sound.mono(), sound.resample(16_000), sound.vad())      # live, in an app
    loud = sound.render(clip, sound.highpass(80), sound.gain(6))              # a file, offline
    async for block in sound.iterate(sound.microphone(), sound.level()): ...  # a local card

The same chain gives the same samples in all of them.
"""

from ossicle.flow.blocks import Block as Block
from ossicle.flow.blocks import BlockError as BlockError
from ossicle.flow.generators import clip_blocks as clip_blocks
from ossicle.flow.generators import noise as noise
from ossicle.flow.generators import sweep as sweep
from ossicle.flow.generators import tone as tone
from ossicle.flow.offline import render as render
from ossicle.flow.offline import run as run
from ossicle.flow.operators import *  # noqa: F403
from ossicle.runtime.iterate import iterate as iterate
from ossicle.runtime.live_file import stream_file as stream_file
from ossicle.runtime.media.blocks import read_blocks as read_blocks
from ossicle.runtime.media.blocks import write_blocks as write_blocks
from ossicle.runtime.soundcard import SoundCardError as SoundCardError
from ossicle.runtime.soundcard import Speaker as Speaker
from ossicle.runtime.soundcard import microphone as microphone
