package dev.apus.attention.softmax;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import org.junit.jupiter.api.Nested;

class KeyValueCacheTest {

  @Nested
  class Exact extends KeyValueCacheLaws {
    Exact() {
      super(CacheFormat.F32, 0, Reach.ALL);
    }
  }

  @Nested
  class Rounded extends KeyValueCacheLaws {
    Rounded() {
      super(CacheFormat.BF16, 0, Reach.ALL);
    }
  }

  /** Of heads that forget, by groups of two. */
  @Nested
  class Forgetting extends KeyValueCacheLaws {
    Forgetting() {
      super(CacheFormat.BF16, 2, Reach.ALL);
    }
  }

  @Nested
  class Windowed extends KeyValueCacheLaws {
    Windowed() {
      super(CacheFormat.F32, 0, new Reach(100, 0));
    }
  }

  @Nested
  class Pinned extends KeyValueCacheLaws {
    Pinned() {
      super(CacheFormat.BF16, 0, new Reach(300, 260));
    }
  }

  /** Levels go on from the slot before, even if nothing else of it is needed. */
  @Nested
  class WindowedAndForgetting extends KeyValueCacheLaws {
    WindowedAndForgetting() {
      super(CacheFormat.F32, 2, new Reach(1, 3));
    }
  }

  /** With the bounds of the keys of blocks that divide a span. */
  @Nested
  class Bounded extends KeyValueCacheLaws {
    Bounded() {
      super(CacheFormat.BF16, 0, Reach.ALL, summary(16, BlockSummary.Kind.KEY_BOUNDS));
    }
  }

  /** With the means of blocks that lie across spans. */
  @Nested
  class Averaged extends KeyValueCacheLaws {
    Averaged() {
      super(CacheFormat.F32, 0, Reach.ALL, summary(7, BlockSummary.Kind.MEANS));
    }
  }

  @Nested
  class SettlingInBytes extends KeyValueCacheLaws {
    SettlingInBytes() {
      super(CacheFormat.Q8, 0, Reach.ALL);
    }
  }

  @Nested
  class SettlingInNibbles extends KeyValueCacheLaws {
    SettlingInNibbles() {
      super(CacheFormat.Q4, 2, Reach.ALL);
    }
  }

  @Nested
  class SettlingAndPinned extends KeyValueCacheLaws {
    SettlingAndPinned() {
      super(CacheFormat.Q8, 2, new Reach(300, 260));
    }
  }

  /** With the means of blocks that lie across spans, of which some have settled. */
  @Nested
  class SettlingAndAveraged extends KeyValueCacheLaws {
    SettlingAndAveraged() {
      super(CacheFormat.Q4, 0, Reach.ALL, summary(7, BlockSummary.Kind.MEANS));
    }
  }

  private static BlockSummary summary(int slots, BlockSummary.Kind kind) {
    return new BlockSummary(slots, kind, Kernels.chosen().attention(CacheFormat.F32));
  }
}
