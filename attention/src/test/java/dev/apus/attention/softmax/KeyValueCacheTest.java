package dev.apus.attention.softmax;

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
}
