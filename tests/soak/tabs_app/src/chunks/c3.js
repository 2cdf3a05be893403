import './c3.css';

export const version = __VERSION__ + ' c3';
