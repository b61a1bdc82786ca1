//! The sun and four planets pulling at each other: floating-point numbers with divisions and square roots.
//!
//! The bodies and the method are those of the Computer Language Benchmarks Game.

use crate::mix;

const STEPS_OF_A_ROUND: u32 = 100_000;
const STEP: f64 = 0.01;
const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
const DAYS: f64 = 365.24;

#[derive(Clone)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

pub(crate) fn run(rounds: u32) -> u64 {
    let mut bodies = bodies();
    for _ in 0..rounds.saturating_mul(STEPS_OF_A_ROUND) {
        advance(&mut bodies);
    }
    bodies
        .iter()
        .flat_map(|body| body.position.into_iter().chain(body.velocity))
        .fold(0, |checksum, value| mix(checksum, value.to_bits()))
}

fn advance(bodies: &mut [Body; 5]) {
    for i in 0..bodies.len() {
        let (before, after) = bodies.split_at_mut(i + 1);
        let one = &mut before[i];
        for other in after {
            let distance: [f64; 3] = std::array::from_fn(|k| one.position[k] - other.position[k]);
            let [x, y, z] = distance;
            let square = x * x + y * y + z * z;
            let pull = STEP / (square * square.sqrt());
            let (own, others) = (one.mass * pull, other.mass * pull);
            for (k, distance) in distance.into_iter().enumerate() {
                one.velocity[k] -= distance * others;
                other.velocity[k] += distance * own;
            }
        }
    }
    for body in bodies {
        for k in 0..3 {
            body.position[k] += STEP * body.velocity[k];
        }
    }
}

fn bodies() -> [Body; 5] {
    let planet = |position, velocity: [f64; 3], mass: f64| Body {
        position,
        velocity: velocity.map(|part| part * DAYS),
        mass: mass * SOLAR_MASS,
    };
    let mut bodies = [
        planet([0.0; 3], [0.0; 3], 1.0),
        planet(
            [4.841_431_442_464_72, -1.160_320_044_027_428_4, -1.036_220_444_711_231_1e-1],
            [1.660_076_642_744_037e-3, 7.699_011_184_197_404e-3, -6.904_600_169_720_63e-5],
            9.547_919_384_243_266e-4,
        ),
        planet(
            [8.343_366_718_244_58, 4.124_798_564_124_305, -4.035_234_171_143_214e-1],
            [-2.767_425_107_268_624e-3, 4.998_528_012_349_172e-3, 2.304_172_975_737_639_3e-5],
            2.858_859_806_661_308e-4,
        ),
        planet(
            [1.289_436_956_213_913_1e1, -1.511_115_140_169_863_1e1, -2.233_075_788_926_557_3e-1],
            [2.964_601_375_647_616e-3, 2.378_471_739_594_809_5e-3, -2.965_895_685_402_375_6e-5],
            4.366_244_043_351_563e-5,
        ),
        planet(
            [1.537_969_711_485_091_1e1, -2.591_931_460_998_796_4e1, 1.792_587_729_503_711_8e-1],
            [2.680_677_724_903_893_2e-3, 1.628_241_700_382_423e-3, -9.515_922_545_197_159e-5],
            5.151_389_020_466_114_5e-5,
        ),
    ];
    // The sun moves against the sum of the others, so that the whole stays where it is.
    for k in 0..3 {
        let momentum: f64 = bodies.iter().map(|body| body.velocity[k] * body.mass).sum();
        bodies[0].velocity[k] = -momentum / SOLAR_MASS;
    }
    bodies
}
