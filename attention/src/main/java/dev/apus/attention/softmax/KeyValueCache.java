package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.attention.rope.Rope;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.KeyVisits;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.Run;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention.Stored;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.ObjLongConsumer;
import java.util.stream.Stream;

/**
 * The keys and values that a sequence's tokens have left behind in one layer, in a page for each
 * span of slots, and summaries of blocks of them. A copy shares the pages, and copies of them only
 * what both go on to write. Pages that no token to come reaches are given back.
 */
final class KeyValueCache implements MixerState {

  private final CacheLayout layout;
  private final Reach reach;
  private final int limit;
  private final Rope rope;
  private final CacheMarks marks = new CacheMarks(this);

  /** By their spans; null where they were forgotten. */
  private final List<CachePage> pages = new ArrayList<>();

  /** Of every whole block of slots; or null. */
  private final KeyValueCache summaries;

  private final PolicyMemory memory;

  /** The first page that has not been forgotten, but for pinned ones. */
  private int oldest;

  private final CacheSupply supply;

  /** Of whole spans that were stored in this pass; null if the format does not settle. */
  private final SettledPages settled;

  private int length;
  private KeyVisits visits = KeyVisits.NONE;

  /** A cache that keeps everything. */
  KeyValueCache(CacheLayout layout, int limit, Rope rope) {
    this(layout, Reach.ALL, limit, rope);
  }

  KeyValueCache(CacheLayout layout, Reach reach, int limit, Rope rope) {
    this(layout, reach, limit, rope, null);
  }

  /**
   * @param reach what tokens to come may ask for
   * @param limit the most slots that are meant to be needed at a time
   * @param rope how the sequence's keys and queries are turned, or null
   * @param memory what a policy remembers beside, or null
   */
  KeyValueCache(CacheLayout layout, Reach reach, int limit, Rope rope, PolicyMemory memory) {
    this.memory = memory;
    this.layout = layout;
    this.reach = reach;
    this.limit = limit;
    this.rope = rope;
    this.supply = new CacheSupply(layout, reach, limit);
    boolean settles = layout.kernel().format().settles();
    this.settled = settles ? new SettledPages(layout, supply) : null;
    BlockSummary summary = layout.summary();
    this.summaries = summary == null ? null : summary.cache(layout, limit);
  }

  CacheLayout layout() {
    return layout;
  }

  /** Of whole blocks; null if the layout has no summary. */
  KeyValueCache summaries() {
    return summaries;
  }

  Rope rope() {
    return rope;
  }

  /** Slots that hold keys and values: those of all tokens, unless some were dropped. */
  int length() {
    return length;
  }

  /** What a policy remembers beside; null for nothing. */
  PolicyMemory memory() {
    return memory;
  }

  /** The slot of one of the last tokens, by its position in the text. */
  int slot(int position) {
    return memory == null ? position : position - memory.dropped();
  }

  /** Sees to it that the slots of rows may be written, which are here or follow these. */
  private void place(NewRows rows, Matrix kept) {
    int first = rows.first();
    if (settled != null && first < length) {
      throw new IllegalStateException(
          "slot " + first + " of " + length + " cannot be stored again: some have settled");
    }
    int end = rows.end();
    if (first < length) {
      marks.keep(first / SLOTS, Integer.MAX_VALUE);
    }
    for (int i = first / SLOTS; i < CachePage.count(end); i++) {
      int used = Math.clamp((long) length - i * SLOTS, 0, SLOTS);
      int from = Math.max(0, first - i * SLOTS);
      int to = Math.max(used, Math.min(SLOTS, end - i * SLOTS));
      if (i == pages.size()) {
        pages.add(settled == null ? supply.next(i, to) : supply.recent(i, to));
      }
      CachePage page = pages.get(i);
      if (page.slots() < to || !page.claim(from, to)) {
        CachePage own = page.copy(supply.slots(i, page.slots(), to), used);
        own.claim(from, to);
        pages.set(i, own);
        page.release();
      }
    }
    if (kept != null) {
      rows.descend(kept);
    }
    length = Math.max(length, end);
  }

  /** Appends the keys and values in some rows of these matrices. */
  void append(Pass pass, Matrix k, Matrix v, int row, int rows) {
    store(pass, new NewRows(layout.recent(), pages, k, v, length, row, rows), null, null);
  }

  /**
   * Appends the keys and values of a run's rows, or puts them in the place of those that are here.
   *
   * @param kept the logarithm of what each head keeps of what came before a row, or null
   */
  void store(Pass pass, Matrix k, Matrix v, Matrix kept, Run<KeyValueCache> run) {
    store(pass, rows(k, v, run), kept, null);
  }

  /** The same with scores, one for each key head, that are added to those of a token's keys. */
  void storeScored(Pass pass, Matrix k, Matrix v, Matrix scores, Run<KeyValueCache> run) {
    store(pass, rows(k, v, run), null, scores);
  }

  private void store(Pass pass, NewRows rows, Matrix kept, Matrix scores) {
    int filled = length / SLOTS;
    place(rows, kept);
    rows.store(pass);
    if (scores != null) {
      rows.score(scores);
    }
    if (settled != null) {
      settled.make(pass, pages, filled, rows.end() / SLOTS);
    }
    if (summaries != null) {
      layout.summary().append(pass, this, summaries);
    }
  }

  private NewRows rows(Matrix k, Matrix v, Run<KeyValueCache> run) {
    int first = run.visibility() == Visibility.CAUSAL ? length : run.position();
    return new NewRows(layout.recent(), pages, k, v, first, run.from(), run.length());
  }

  /** Whether only queries of a run see its rows, each head what {@link #place} leaves to store. */
  boolean takesHeads(Run<KeyValueCache> run) {
    boolean settles = settled != null && length / SLOTS < (length + run.length()) / SLOTS;
    boolean own = run.visibility() == Visibility.CAUSAL && layout.heads() == layout.valueHeads();
    return own && !settles && summaries == null;
  }

  /** Stores a run's rows but for the keys and values of each head, which the caller stores. */
  NewRows place(Matrix k, Matrix v, Matrix kept, Run<KeyValueCache> run) {
    NewRows rows = rows(k, v, run);
    place(rows, kept);
    return rows;
  }

  /** The keys and values of one head. */
  Stored stored(int head) {
    return settled == null ? span -> pages.get(span).head(head) : settled.stored(pages, head);
  }

  /**
   * Makes some slots of each head its first ones; all others go, and so does their memory.
   *
   * @param slots of each head, ascending, as many of each
   */
  void keep(Pass pass, int[][] slots) {
    List<CachePage> fewer = Compaction.of(pass, layout, pages, slots);
    memory.keep(slots, length);
    replace(slots[0].length, 0, fewer);
  }

  /** Takes note of what queries are about to visit. */
  void count(KeyVisits more) {
    visits = visits.plus(more);
  }

  @Override
  public KeyVisits visits() {
    return visits;
  }

  @Override
  public Mark mark(Mark reuse) {
    Mark beside = memory == null ? null : memory.mark();
    return marks.add(reuse, length, oldest, summaries == null ? beside : summaries.mark(null));
  }

  /** Whether a page is there when this one is the oldest. */
  boolean keeps(int page, int oldest) {
    return reach.keeps(page, oldest);
  }

  /** A page, shared. */
  CachePage share(int page) {
    return pages.get(page).share();
  }

  /**
   * Goes to where the cache was.
   *
   * @param others pages by their index, given away, to take those places; null where none is needed
   */
  void become(int newLength, int newOldest, CachePage[] others) {
    for (int i = 0; i < others.length; i++) {
      if (i == pages.size()) {
        pages.add(others[i]);
      } else if (others[i] != null) {
        CachePage.release(pages.set(i, others[i]));
      }
    }
    length = newLength;
    int end = CachePage.count(newLength);
    if (settled != null) {
      settled.release();
    }
    if (end < pages.size() && (settled != null || pages.get(end) == null)) {
      CachePage.releaseAll(pages.subList(end, pages.size()));
    }
    oldest = reach.pinnedPages();
    forget(newOldest);
    oldest = newOldest;
  }

  /**
   * Gives back what no token after a run reaches or sees as it was stored, when all have read it. A
   * run that looks ahead may be computed again, and where rows see what stands after them, so may
   * any.
   */
  void forget(Run<KeyValueCache> run) {
    if (settled != null) {
      settled.take(this::settle);
    }
    switch (run.visibility()) {
      case CAUSAL -> forget(reach.firstPage(length));
      case BIDIRECTIONAL -> forget(reach.firstPage(run.position()));
      case SURROUNDED, TOGETHER -> {}
    }
  }

  private void settle(CachePage page, int span) {
    marks.keep(span, span + 1);
    CachePage.release(pages.set(span, page));
  }

  private void forget(int end) {
    for (int i = Math.max(oldest, reach.pinnedPages()); i < end; i++) {
      if (pages.get(i) != null) {
        marks.keep(i, i + 1);
        CachePage.release(pages.set(i, null));
      }
    }
    oldest = Math.max(oldest, end);
  }

  @Override
  public void become(MixerState other) {
    KeyValueCache there = (KeyValueCache) other;
    List<CachePage> shared = new ArrayList<>();
    for (int i = 0; i < CachePage.count(there.length); i++) {
      shared.add(there.keeps(i, there.oldest) ? there.share(i) : null);
    }
    replace(there.length, there.oldest, shared);
    if (summaries != null) {
      summaries.become(there.summaries);
    }
    if (memory != null) {
      memory.become(there.memory);
    }
  }

  /** Goes elsewhere, to pages that the caller gives away. */
  private void replace(int newLength, int newOldest, List<CachePage> others) {
    marks.keep(0, Integer.MAX_VALUE);
    releasePages();
    pages.addAll(others);
    length = newLength;
    oldest = newOldest;
  }

  /** Shares every filled page; whichever of the two writes to a page that both have copies it. */
  @Override
  public KeyValueCache copy() {
    PolicyMemory other = memory == null ? null : memory.copy();
    var copy = new KeyValueCache(layout, reach, limit, rope, other);
    copy.become(this);
    return copy;
  }

  /** A page that several caches have counts for each of them in part. */
  @Override
  public long bytes() {
    long rest = summaries == null ? 0 : summaries.bytes();
    rest += memory == null ? 0 : memory.bytes();
    rest += settled == null ? 0 : settled.bytes();
    return supply.restBytes() + rest + present().mapToLong(CachePage::shareBytes).sum();
  }

  private Stream<CachePage> present() {
    return pages.stream().filter(Objects::nonNull);
  }

  @Override
  public void blocks(ObjLongConsumer<Object> visitor) {
    present().forEach(page -> visitor.accept(page, page.bytes()));
    if (summaries != null) {
      summaries.blocks(visitor);
    }
  }

  @Override
  public void write(DataOutput out) throws IOException {
    new CacheFile(length, oldest, pages).write(layout, reach, out);
    if (summaries != null) {
      summaries.write(out);
    }
    if (memory != null) {
      memory.write(out, length);
    }
  }

  /** Reads beside the cache first, so that a file that ends early leaves it as it was. */
  @Override
  public void read(DataInput in) throws IOException {
    read(in, -1);
  }

  /** The same where so many slots must have been written; below 0 for any number. */
  private void read(DataInput in, int expected) throws IOException {
    CacheFile file = CacheFile.read(in, layout, reach, limit, expected);
    try {
      if (summaries != null) {
        summaries.read(in, file.length() / layout.summary().slots());
      }
      if (memory != null) {
        memory.become(memory.read(in, file.length()));
      }
    } catch (IOException | RuntimeException | Error e) {
      file.release();
      throw e;
    }
    replace(file.length(), file.oldest(), file.pages());
  }

  private void releasePages() {
    if (settled != null) {
      settled.release();
    }
    CachePage.releaseAll(pages);
  }

  @Override
  public void close() {
    releasePages();
    supply.release();
    length = 0;
    oldest = 0;
    if (summaries != null) {
      summaries.close();
    }
  }
}
