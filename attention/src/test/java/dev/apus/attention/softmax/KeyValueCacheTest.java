package dev.apus.attention.softmax;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import org.junit.jupiter.api.Nested;

class KeyValueCacheTest {

  @Nested
  class Exact extends KeyValueCacheLaws {
    Exact() {
      super(CacheFormat.F32, 0);
    }
  }

  @Nested
  class Rounded extends KeyValueCacheLaws {
    Rounded() {
      super(CacheFormat.BF16, 0);
    }
  }

  /** Of heads that forget, by groups of two. */
  @Nested
  class Forgetting extends KeyValueCacheLaws {
    Forgetting() {
      super(CacheFormat.BF16, 2);
    }
  }

  /** With the bounds of the keys of blocks that divide a span. */
  @Nested
  class Bounded extends KeyValueCacheLaws {
    Bounded() {
      super(CacheFormat.BF16, 0, summary(16, BlockSummary.Kind.KEY_BOUNDS));
    }
  }

  /** With the means of blocks that lie across spans. */
  @Nested
  class Averaged extends KeyValueCacheLaws {
    Averaged() {
      super(CacheFormat.F32, 0, summary(7, BlockSummary.Kind.MEANS));
    }
  }

  private static BlockSummary summary(int slots, BlockSummary.Kind kind) {
    return new BlockSummary(slots, kind, Kernels.chosen().attention(CacheFormat.F32));
  }
}
