/** Benches and laws with which mixers are tested, Apus' own and others'. */
package dev.apus.testing;
