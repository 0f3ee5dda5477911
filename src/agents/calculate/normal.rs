//! The standard normal distribution, which the standard library does not have.

/// The value under which a share `p` of the standard normal lies. For `p` between 0 and 1;
/// relative error about 1e-15.
///
/// Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37(3), 1988.
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let z = if r <= 5.0 {
        ratio(&MIDDLE, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    z.copysign(q)
}

/// Coefficients of a numerator and a denominator, the highest power first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio((numerator, denominator): &Rational, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

#[rustfmt::skip]
const CENTRE: Rational = (
    [2.509_080_928_730_122_7e3, 3.343_057_558_358_813e4, 6.726_577_092_700_87e4,
     4.592_195_393_154_987e4, 1.373_169_376_550_946e4, 1.971_590_950_306_551_4e3,
     1.331_416_678_917_843_8e2, 3.387_132_872_796_366_6],
    [5.226_495_278_852_854e3, 2.872_908_573_572_194_3e4, 3.930_789_580_009_271e4,
     2.121_379_430_158_659_6e4, 5.394_196_021_424_751e3, 6.871_870_074_920_579e2,
     4.231_333_070_160_091e1, 1.0],
);
#[rustfmt::skip]
const MIDDLE: Rational = (
    [7.745_450_142_783_414e-4, 2.272_384_498_926_918_5e-2, 2.417_807_251_774_506e-1,
     1.270_458_252_452_368_4, 3.647_848_324_763_204_6, 5.769_497_221_460_691,
     4.630_337_846_156_546, 1.423_437_110_749_683_6],
    [1.050_750_071_644_416_8e-9, 5.475_938_084_995_345e-4, 1.519_866_656_361_645_7e-2,
     1.481_039_764_274_800_7e-1, 6.897_673_349_851e-1, 1.676_384_830_183_803_8,
     2.053_191_626_637_759, 1.0],
);
#[rustfmt::skip]
const FAR: Rational = (
    [2.010_334_399_292_288_1e-7, 2.711_555_568_743_487_6e-5, 1.242_660_947_388_078_4e-3,
     2.653_218_952_657_612_4e-2, 2.965_605_718_285_048_9e-1, 1.784_826_539_917_291_3,
     5.463_784_911_164_114, 6.657_904_643_501_104],
    [2.044_263_103_389_939_8e-15, 1.421_511_758_316_446e-7, 1.846_318_317_510_054_7e-5,
     7.868_691_311_456_133e-4, 1.487_536_129_085_061_5e-2, 1.369_298_809_227_358e-1,
     5.998_322_065_558_88e-1, 1.0],
);

/// The probability that a standard normal is over `x`: a series around the centre, a
/// continued fraction in the tails. Relative error under 1e-12 where it is over 1e-300.
///
/// Sources: Marsaglia, Evaluating the Normal Distribution, 2004 (series); Laplace (fraction).
pub(super) fn upper_tail(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x.abs() <= 3.0 {
        let (mut sum, mut term, mut k) = (x, x, 1.0);
        while term.abs() > 1e-18 * sum.abs() {
            k += 2.0;
            term *= x * x / k;
            sum += term;
        }
        return 0.5 - density * sum;
    }
    // Enough steps for 1e-15 at 3; fewer would do further out.
    let t = x.abs();
    let mills = (1..=120).rev().fold(t, |below, k| t + f64::from(k) / below);
    let tail = density / mills;
    if x > 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::super::testing::close;
    use super::*;

    #[test]
    fn the_quantile_agrees_with_tables() {
        for (p, z) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798405),
            (1e-09, -5.9978070150076865),
            (0.001, -3.090232306167813),
            (0.025, -1.9599639845400538),
            (0.05, -1.6448536269514726),
            (0.1, -1.2815515655446008),
            (0.25, -0.6744897501960817),
            (0.4, -0.2533471031357998),
            (0.6, 0.2533471031357998),
            (0.75, 0.6744897501960817),
            (0.95, 1.6448536269514715),
            (0.975, 1.9599639845400536),
            (0.99, 2.3263478740408408),
            (0.995, 2.5758293035489),
            (0.9999, 3.7190164854557084),
        ] {
            close("quantile", quantile(p), z, 1e-14);
        }
        assert_eq!(quantile(0.5), 0.0);
    }

    #[test]
    fn the_tail_undoes_the_quantile() {
        for exponent in 1..300 {
            let p = 10f64.powi(-exponent);
            close("tail", upper_tail(-quantile(p)), p, 1e-11);
        }
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            close("tail", upper_tail(-quantile(p)), p, 1e-13);
        }
    }
}
