"""Sources of sound: streams of blocks that need no device and no file."""

from __future__ import annotations

from .clip import clip_blocks as clip_blocks
from .noise import noise as noise
from .source import source as source
from .sweep import sweep as sweep
from .tone import tone as tone
