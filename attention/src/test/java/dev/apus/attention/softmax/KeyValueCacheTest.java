package dev.apus.attention.softmax;

import dev.apus.kernels.attention.CacheFormat;
import org.junit.jupiter.api.Nested;

class KeyValueCacheTest {

  @Nested
  class Exact extends KeyValueCacheLaws {
    Exact() {
      super(CacheFormat.F32);
    }
  }

  @Nested
  class Rounded extends KeyValueCacheLaws {
    Rounded() {
      super(CacheFormat.BF16);
    }
  }
}
